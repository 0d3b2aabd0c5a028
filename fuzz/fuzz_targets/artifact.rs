//! Any bytes are an artifact of each kind, with trouble or without; a place is inside the file.

#![no_main]

use aiconform_submission::artifact::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    for file in ["junit.xml", "results.json", "e2e.log"] {
        let Some(artifact) = read(file, bytes) else { panic!("{file} is known by its name") };
        for trouble in artifact.troubles.iter().chain(&artifact.unreadable) {
            assert!(trouble.place.line <= lines, "{file}: {}", trouble.why);
        }
        for test in &artifact.tests {
            assert!(test.line <= lines && artifact.outcome(&test.name).is_some());
        }
    }
});
