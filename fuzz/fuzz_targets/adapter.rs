//! Any text is an adapter, or an error with a place inside the text.

#![no_main]

use aiconform_checks::AdapterFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = AdapterFile::read(text, "adapter.toml") {
        assert!(error.line <= text.matches('\n').count() + 1, "{error}");
    }
});
