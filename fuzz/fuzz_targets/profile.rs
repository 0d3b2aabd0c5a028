//! Any text is a profile, or an error with a place inside the text.

#![no_main]

use aiconform_checks::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Profile::parse(text, "profile.toml") {
        assert!(error.line <= text.matches('\n').count() + 1, "{error}");
    }
});
