//! Components that take long to build, and whether this machine has them.

/// Reason why a test is skipped that needs some of them.
pub const NOT_BUILT: &str = "what it needs beyond the quick set is not built here; --thorough builds it";

/// Tells whether this machine has built these components, in whichever version: a change of one is built again, and a new
/// machine does not spend a quarter of an hour on them unless it is asked to.
pub fn builds(components: &[&str]) -> bool {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let cache = variable("AICONFORM_CACHE_DIR")
        .or_else(|| variable("XDG_CACHE_HOME").map(|path| format!("{path}/aiconform")))
        .or_else(|| variable("HOME").map(|path| format!("{path}/.cache/aiconform")));
    let folder = cache.and_then(|path| std::fs::read_dir(format!("{path}/components")).ok());
    let names: Vec<String> =
        folder.into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let there = |component: &str| {
        // Behind the name stands the key, which has no dash.
        names.iter().any(|name| name.rsplit_once('-').is_some_and(|(name, _)| name == component))
    };
    variable("AICONFORM_THOROUGH").is_some() || components.iter().copied().all(there)
}

/// Says that a test was not made. Straight to stderr: what a test prints is kept back when it does not fail.
pub fn skipped(why: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {why}\n").as_bytes());
}
