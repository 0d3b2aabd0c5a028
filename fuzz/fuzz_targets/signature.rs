//! Any bytes are an envelope or a sentence that says why not.

#![no_main]

use aiconform_submission::signature::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match read(bytes) {
        Ok(signed) => assert!(!signed.keys().is_empty()),
        Err(why) => assert!(!why.is_empty()),
    }
});
