//! Statistics: the share of all tries that a number of them speaks for.

use statrs::distribution::{Beta, ContinuousCDF};

/// The exact (Clopper-Pearson) 95 % interval of a share, of which `count` of `of` tries were seen, in percent.
///
/// It is exact in that it holds at least 95 % whatever the share is; with 0 of 10 it still reaches to 31 %.
pub fn interval(count: usize, of: usize) -> (f64, f64) {
    interval_at(count, of, 0.05)
}

/// Like [`interval`], with the chance of missing the share given: at most `chance`, half of it on each side. A share lies
/// in it just when the exact binomial test of that share with this chance does not refuse it.
pub fn interval_at(count: usize, of: usize, chance: f64) -> (f64, f64) {
    let quantile = |a: usize, b: usize, at: f64| {
        #[allow(clippy::cast_precision_loss, reason = "numbers of tries are small")]
        let beta = Beta::new(a as f64, b as f64);
        beta.map_or(f64::NAN, |beta| beta.inverse_cdf(at) * 100.0)
    };
    let low = if count == 0 { 0.0 } else { quantile(count, of - count + 1, chance / 2.0) };
    let high = if count >= of { 100.0 } else { quantile(count + 1, of - count, 1.0 - chance / 2.0) };
    (low, high)
}

/// The interval in words: `0 to 31 %`.
pub fn in_words(count: usize, of: usize) -> String {
    let (low, high) = interval(count, of);
    format!("{low:.0} to {high:.0} %")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        for (count, of, low, high) in [
            (0, 10, 0.0, 30.85),
            (10, 10, 69.15, 100.0),
            (5, 10, 18.71, 81.29),
            (1, 30, 0.084, 17.22),
            (0, 1, 0.0, 97.5),
        ] {
            let found = interval(count, of);
            assert!(
                (found.0 - low).abs() < 0.01 && (found.1 - high).abs() < 0.01,
                "{count} of {of}: {found:?}"
            );
        }
        assert_eq!(in_words(3, 10), "7 to 65 %");
    }

    #[test]
    fn a_chance_that_is_smaller_makes_it_wider_and_keeps_its_meaning() {
        let (low, high) = interval_at(120, 600, 1e-6);
        assert!(low < interval(120, 600).0 && high > interval(120, 600).1, "{low} {high}");
        // By its definition: at the upper end, so few are seen in half of that chance.
        assert!((at_most(120, 600, high / 100.0) / 5e-7 - 1.0).abs() < 1e-3, "{high}");
        assert!(low > 12.0 && high < 30.0, "{low} {high}");
    }

    /// The chance of at most `count` of `of` with this share.
    fn at_most(count: usize, of: usize, share: f64) -> f64 {
        let mut term = (1.0 - share).powi(i32::try_from(of).unwrap());
        let mut sum = term;
        for number in 0..count {
            term *= (of - number) as f64 / (number + 1) as f64 * share / (1.0 - share);
            sum += term;
        }
        sum
    }

    proptest! {
        /// By its definition: at the upper end, so few are seen in 2.5 % of all cases.
        #[test]
        fn the_upper_end_is_where_so_few_are_rare(of in 1_usize..60, share in 0.0_f64..1.0) {
            let count = ((of as f64) * share) as usize;
            let (low, high) = interval(count, of);
            prop_assert!(low <= 100.0 * count as f64 / of as f64 && 100.0 * count as f64 / of as f64 <= high);
            if count < of {
                prop_assert!((at_most(count, of, high / 100.0) - 0.025).abs() < 1e-6);
            }
        }
    }
}
