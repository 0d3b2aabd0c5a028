//! Any text is an answer of a monitoring system, or a sentence that says why it is none.

#![no_main]

use aiconform_checks::monitoring::{series, version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for why in [series(text).err(), version(text).err()].into_iter().flatten() {
        assert!(!why.is_empty());
    }
});
