//! Images of what runs in pods: binaries of ours, built with the program, as OCI archives without a registry. They are static,
//! but for a load on a maker's devices: that calls the maker's library, which needs the C library, and so its image has it.

mod archive;

pub use archive::{archive, archive_for_each};

/// An image of ours.
pub struct Image {
    /// Its name; under another one it is pushed to a registry of the user.
    pub name: &'static str,
    /// Name of the binary that is all of it, and that it runs.
    pub binary: &'static str,
    content: &'static [u8],
    /// Place where a name of the user's for it is given.
    pub named_by: &'static str,
    /// Files that it needs beside it, by their paths in the image.
    beside: &'static [(&'static str, &'static [u8])],
}

impl Image {
    /// Name on the command line: its binary's name without ours.
    pub fn short(&self) -> &'static str {
        self.binary.trim_start_matches("aiconform-")
    }

    /// The image as an OCI archive (image-spec 1.1, image layout) under this name; equal input gives equal bytes.
    ///
    /// # Errors
    /// When the archive cannot be written to memory.
    pub fn archive(&self, name: &str) -> std::io::Result<Vec<u8>> {
        let files = [&[(self.binary, self.content)], self.beside].concat();
        archive(name, &files, &format!("/{}", self.binary))
    }

    /// The program, said to be for a kind of machine that this one is not: of what a registry has for others alone.
    pub fn for_other_machines(&self) -> Vec<u8> {
        archive::for_other_machines(self.content)
    }

    /// Like [`Image::archive`], with this program beside it, built for another kind of machine.
    ///
    /// # Errors
    /// When it is no such program, or the image holds more than that.
    pub fn archive_with(&self, name: &str, other: &[u8]) -> std::io::Result<Vec<u8>> {
        if !self.beside.is_empty() {
            let why = format!(
                "the image of {} holds more than one program: write it on each kind of machine, and join them in the registry",
                self.short()
            );
            return Err(std::io::Error::other(why));
        }
        archive_for_each(name, self.binary, &[self.content, other])
    }
}

/// The probe, which runs in test pods.
pub const PROBE: Image = Image {
    name: concat!("aiconform.dev/probe:", env!("CARGO_PKG_VERSION")),
    binary: "aiconform-probe",
    content: include_bytes!(concat!(env!("OUT_DIR"), "/aiconform-probe")),
    named_by: "--image",
    beside: &[],
};

/// The accelerator simulator, which runs on every node of a test cluster that is to have some.
pub const SIMULATOR: Image = Image {
    name: concat!("aiconform.dev/simulator:", env!("CARGO_PKG_VERSION")),
    binary: "aiconform-simulator",
    content: include_bytes!(concat!(env!("OUT_DIR"), "/aiconform-simulator")),
    named_by: "aiconform-simulator --print-manifest IMAGE",
    beside: &[(
        "libcuda.so.1",
        include_bytes!(concat!(env!("OUT_DIR"), "/libaiconform_simulated_cuda.so")) as &[u8],
    )],
};

/// The load on NVIDIA's devices, with the C library of the machine that built it.
pub const LOAD_NVIDIA: Image = Image {
    name: concat!("aiconform.dev/load-nvidia:", env!("CARGO_PKG_VERSION")),
    binary: "aiconform-load-nvidia",
    content: include_bytes!(concat!(env!("OUT_DIR"), "/aiconform-load-nvidia")),
    named_by: "the profile ([load.nvidia] image)",
    beside: include!(concat!(env!("OUT_DIR"), "/libraries.rs")),
};

/// All of them.
pub const IMAGES: &[&Image] = &[&PROBE, &SIMULATOR, &LOAD_NVIDIA];

/// The image that is called so on the command line.
pub fn named(short: &str) -> Option<&'static Image> {
    IMAGES.iter().copied().find(|image| image.short() == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types of the program headers of a 64-bit little-endian ELF file (elf(5)).
    fn headers(content: &[u8]) -> Vec<u32> {
        let half = |at: usize| usize::from(u16::from_le_bytes(content[at..at + 2].try_into().unwrap()));
        let first = usize::try_from(u64::from_le_bytes(content[32..40].try_into().unwrap())).unwrap();
        let (size, count) = (half(54), half(56));
        (0..count)
            .map(|number| first + number * size)
            .map(|at| u32::from_le_bytes(content[at..at + 4].try_into().unwrap()))
            .collect()
    }

    #[test]
    fn what_runs_in_pods_needs_nothing_that_its_image_has_not() {
        const LOADED: u32 = 1;
        const LOADER: u32 = 3;
        for image in IMAGES {
            assert_eq!(&image.content[..4], b"\x7fELF", "{}", image.binary);
            let headers = headers(image.content);
            assert!(headers.contains(&LOADED), "{}: {headers:?}", image.binary);
            let brings = |name: &str| image.beside.iter().any(|(path, _)| path.contains(name));
            assert_eq!(headers.contains(&LOADER), brings("/ld-linux"), "{}", image.binary);
            assert_eq!(headers.contains(&LOADER), brings("/libc.so"), "{}", image.binary);
        }
    }
}
