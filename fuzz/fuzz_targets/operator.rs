//! Any text is an operator, or an error with a place inside the text.

#![no_main]

use aiconform_checks::Operator;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Operator::read(text, "operator.toml") {
        assert!(error.line <= text.matches('\n').count() + 1, "{error}");
    }
});
