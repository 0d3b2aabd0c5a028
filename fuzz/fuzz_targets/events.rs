//! Any bytes are events that follow one another, or an error.

#![no_main]

use aiconform_evidence::Evidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(evidence) = Evidence::read(bytes, "events.ndjson".into()) {
        assert_eq!(evidence.events.len(), bytes.iter().filter(|byte| **byte == b'\n').count());
    }
});
