//! Amounts of resources as Kubernetes writes them.

use std::collections::BTreeMap;

/// Reads an amount (`100m`, `8Mi`, `1e3`, `2`) in units of its resource: cores, bytes, pieces.
///
/// `None` for what is not an amount (apimachinery's `resource.Quantity`).
pub fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 15] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let text = text.trim();
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))
        .unwrap_or((text, 1.0));
    // What Rust reads beyond digits, sign, point and exponent (`inf`, `NaN`) is no amount.
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = if plain { number.parse().ok()? } else { return None };
    let amount = value * factor;
    amount.is_finite().then_some(amount)
}

/// Amounts by the name of their resource.
pub type Amounts = BTreeMap<String, f64>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_in_every_spelling() {
        for (text, amount) in [
            ("0", 0.0),
            ("2", 2.0),
            ("100m", 0.1),
            ("8Mi", 8_388_608.0),
            ("1.5Gi", 1_610_612_736.0),
            ("128974848", 128_974_848.0),
            ("129e6", 129e6),
            ("129M", 129e6),
            ("1E3", 1000.0),
            ("3E", 3e18),
            ("500u", 0.0005),
        ] {
            let read = quantity(text).unwrap();
            assert!((read - amount).abs() <= amount * 1e-12, "{text}: {read}");
        }
        for text in ["", "m", "x", "1 Gi", "inf", "nan", "Ki", "--1"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_amount_or_none(text in ".{0,12}") {
            if let Some(amount) = quantity(&text) {
                prop_assert!(amount.is_finite());
            }
        }

        #[test]
        fn a_whole_number_is_itself(number: u32) {
            prop_assert_eq!(quantity(&number.to_string()), Some(f64::from(number)));
        }
    }
}
