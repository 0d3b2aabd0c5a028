//! Any bytes are an exposition whose samples and warnings have a line, and which is the same when it is written and read
//! again, or one error.

#![no_main]

use aiconform_exposition::{Exposition, Limits, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let limits = Limits { bytes: 4096, lines: 64, labels: 8, warnings: 8 };
    let Ok(found) = parse(&text, &limits) else { return };
    let lines = text.split('\n').count();
    assert!(found.samples.iter().all(|sample| sample.line >= 1 && sample.line <= lines));
    assert!(found.warnings.iter().all(|warning| warning.line >= 1 && warning.line <= lines));
    let bare = |found: &Exposition| {
        let sample = |sample: &aiconform_exposition::Sample| {
            (
                sample.name.clone(),
                sample.labels.clone(),
                if sample.value.is_nan() { 0 } else { sample.value.to_bits() },
            )
        };
        found.samples.iter().map(sample).collect::<Vec<_>>()
    };
    let again = parse(&found.to_string(), &Limits::default()).unwrap_or_default();
    assert_eq!(bare(&again), bare(&found));
});
