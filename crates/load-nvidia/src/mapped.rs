//! The file that the driver's library was loaded from.

use std::path::Path;

/// Path of the library as this process has it in its memory, links followed; none before it is loaded.
pub fn library() -> Option<String> {
    of(&std::fs::read_to_string("/proc/self/maps").unwrap_or_default())
}

/// The library in a list of what is mapped (proc_pid_maps(5)).
fn of(maps: &str) -> Option<String> {
    let path = |line: &str| line.split_whitespace().nth(5).map(str::to_owned);
    maps.lines().filter_map(path).find(|path| {
        Path::new(path).file_name().is_some_and(|name| name.to_string_lossy().starts_with("libcuda.so"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_library_is_found_among_what_is_mapped() {
        let maps = "7f00-7f01 r--p 00000000 00:1b 12 /usr/lib/libc.so.6\n7f02-7f03 r--p 0 0:1 1\n\
                    7f10-7f11 r-xp 00000000 00:1b 13 /usr/lib64/libcuda.so.580.65.06\n";
        assert_eq!(of(maps).as_deref(), Some("/usr/lib64/libcuda.so.580.65.06"));
        assert_eq!(of("7f00-7f01 r--p 00000000 00:1b 12 /usr/lib/libcudart.so.13\n"), None);
    }
}
