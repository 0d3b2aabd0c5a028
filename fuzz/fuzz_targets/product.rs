//! Any text is a product file, or an error with a place inside the text; what is read has places inside it too.

#![no_main]

use aiconform_submission::product::Product;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines = text.split(['\n', '\r']).count();
    match Product::read(text) {
        Ok(product) => {
            for (place, why) in &product.misshapen {
                assert!(place.line <= lines, "{why}");
            }
            for (_, answer) in product.answers() {
                assert!(answer.place.line <= lines);
            }
        }
        Err(error) => assert!(error.place.line <= lines, "{error}"),
    }
});
