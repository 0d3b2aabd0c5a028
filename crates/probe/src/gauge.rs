//! Gauges that are set from outside.

use aiconform_model::probe::{GAUGE, Gauge};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// By name. The one that the environment names is there from the start: a pod that has nothing to do says so.
static GAUGES: LazyLock<Mutex<BTreeMap<String, f64>>> = LazyLock::new(|| {
    let named = std::env::var(GAUGE).ok().filter(|name| is_name(name));
    Mutex::new(named.into_iter().map(|name| (name, 0.0)).collect())
});

fn gauges() -> MutexGuard<'static, BTreeMap<String, f64>> {
    GAUGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets one, or takes it away; gives all.
///
/// # Errors
/// When it has no name that a metric can have.
pub fn set(wanted: &Gauge) -> Result<BTreeMap<String, f64>, String> {
    if !is_name(&wanted.name) {
        return Err(format!("{:?} is no name of a metric", wanted.name));
    }
    let mut gauges = gauges();
    match wanted.value {
        Some(value) => gauges.insert(wanted.name.clone(), value),
        None => gauges.remove(&wanted.name),
    };
    Ok(gauges.clone())
}

/// All of them, in the text format of Prometheus.
pub fn metrics() -> String {
    let gauge = |(name, value): (&String, &f64)| {
        format!("# HELP {name} Set from outside.\n# TYPE {name} gauge\n{name} {value}\n")
    };
    gauges().iter().map(gauge).collect()
}

/// Tells whether Prometheus takes it as a name of a metric.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    name.bytes().all(fits) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_served_from_when_it_is_set_until_it_is_taken_away() {
        let gauge = |name: &str, value| Gauge { name: name.into(), value };
        set(&gauge("waiting", Some(19.5))).unwrap();
        assert!(metrics().ends_with("# TYPE waiting gauge\nwaiting 19.5\n"), "{}", metrics());
        set(&gauge("waiting", None)).unwrap();
        assert_eq!(metrics(), "");
        for name in ["", "1a", "a b", "a\nb"] {
            assert!(set(&gauge(name, Some(1.0))).is_err(), "{name:?}");
        }
    }
}
