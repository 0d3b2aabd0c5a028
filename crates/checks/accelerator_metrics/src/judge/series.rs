//! Claims on one scrape: a format that machines read, and series of every accelerator.

use super::history::{Census, History, Scraped};
use crate::adapters::{Dialect, Lack, Metrics, Quantity, Reading, whole};
use crate::marks::Offered;
use aiconform_trial::{met, unknown, unmet};
use aiconform_verdict::Outcome;
use std::collections::BTreeSet;

/// The endpoint answers in a format that machines read.
pub fn format_is_machine_readable(history: &History) -> Outcome {
    let Some(first) = history.scrapes.first() else {
        return unknown(history.lack("no endpoint was asked"));
    };
    let broken = history.scrapes.iter().find_map(|scrape| match &scrape.read {
        Err(Lack::Metrics(why)) => Some((scrape, why.clone())),
        Err(Lack::Answer(_)) => None,
        Ok(_) => wrong_type(scrape).map(|why| (scrape, why)),
    });
    if let Some((scrape, why)) = broken {
        return unmet(format!("{}: {why}", scrape.endpoint), [scrape.at]);
    }
    let Some(metrics) = history.scrapes.iter().rev().find_map(|scrape| scrape.read.as_ref().ok()) else {
        return unknown(history.lack("the endpoint gave no whole answer"));
    };
    if metrics.readings.is_empty() && is_silent(history.dialect) {
        let samples = metrics.samples;
        return unknown(history.lack(&format!("{samples} samples, and none of a device: {SILENT}")));
    }
    if metrics.readings.is_empty() {
        return unmet(
            format!("{} samples, and none of a device; such as {}", metrics.samples, metrics.some),
            [first.at],
        );
    }
    let warnings = match &metrics.warnings {
        (0, _) => String::new(),
        (count, warning) => format!("; {count} lines cannot be read as they are, the first: {warning}"),
    };
    met(format!("{} samples as {}{warnings}", metrics.samples, first.content_type))
}

/// Words on an exporter that is silent before something runs.
const SILENT: &str = "nothing runs on its devices, and before something does this exporter tells of none";

fn is_silent(dialect: Option<&Dialect>) -> bool {
    dialect.is_some_and(|dialect| dialect.device.silent_at_rest)
}

/// Why Prometheus would not take the content type: it takes those of the two formats without being told to, and its 3.0
/// refuses others.
fn wrong_type(scrape: &Scraped) -> Option<String> {
    let kind = scrape.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let fits = ["text/plain", "application/openmetrics-text"].contains(&kind.as_str());
    (!fits).then(|| match kind.as_str() {
        "" => "the metrics come without a content type, which Prometheus refuses".into(),
        kind => format!("the metrics come as {kind}, which Prometheus refuses"),
    })
}

/// As many devices in utilisation and in memory as nodes have, on every node.
pub fn every_accelerator_has_its_series(history: &History) -> Outcome {
    let (Some(census), Some(dialect)) = (&history.census, history.dialect) else {
        return unknown(history.lack("no endpoint was asked"));
    };
    let (mut lacks, mut more) = (Vec::new(), Vec::new());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let of_all = history.within(census.phase).filter(|scrape| is_of(census, scrape, "")).last();
    for (node, offered) in &census.nodes {
        let own = history.within(census.phase).filter(|scrape| is_of(census, scrape, node)).last();
        let Some(scrape) = own.or(of_all) else {
            lacks.push(format!("{node} has {} accelerators and no endpoint", offered.devices));
            continue;
        };
        let metrics = match &scrape.read {
            Ok(metrics) => metrics,
            Err(lack) => return unknown(format!("{}: {}", scrape.endpoint, lack.words())),
        };
        // What one endpoint says of all nodes is parted by their names.
        let parted;
        let metrics = if own.is_some() {
            metrics.as_ref()
        } else if !metrics.readings.is_empty() && !tells_nodes(metrics, census) {
            return unknown(format!(
                "{} tells of several nodes, and no label says of which: name the exporter's pods in the profile, [accelerator_metrics.exporter]",
                scrape.endpoint
            ));
        } else {
            parted = of_node(metrics, node);
            &parted
        };
        if metrics.readings.is_empty() && is_silent(history.dialect) {
            return unknown(format!("{node}: {SILENT}"));
        }
        compare(node, offered, metrics, dialect, (&mut lacks, &mut more));
        // A name of a kind that is unique by itself, on two nodes, is one name for two devices.
        let busy = devices(metrics, Quantity::Utilisation);
        let twice = busy.iter().find(|device| device.len() >= 8 && !seen.insert((**device).into()));
        lacks.extend(twice.map(|device| format!("{device} is told by two nodes")));
    }
    let expected: u64 = census.nodes.values().map(|offered| offered.devices).sum();
    if expected == 0 {
        return unknown("no node offers an accelerator");
    }
    if !lacks.is_empty() {
        return unmet(lacks.join("; "), history.within(census.phase).map(|scrape| scrape.at));
    }
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
    met(format!("utilisation and memory of {expected} devices on {} nodes{more}", census.nodes.len()))
}

/// Compares what a node offers with what is told of it; notes what is lacking, and what there is more.
fn compare(
    node: &str,
    offered: &Offered,
    metrics: &Metrics,
    dialect: &Dialect,
    (lacks, more): (&mut Vec<String>, &mut Vec<String>),
) {
    let count = usize::try_from(offered.devices).unwrap_or(usize::MAX);
    for (what, quantity) in [("utilisation", Quantity::Utilisation), ("memory", Quantity::MemoryUsed)] {
        let mut found = devices(metrics, quantity).len();
        // Where parts are what a node offers, such as the slices of a GPU under the name of whole ones, they count.
        if found < count && !is_told_whole(metrics, quantity) {
            found = parts(metrics, quantity).len();
        }
        if found < count {
            lacks.push(format!("{node}: {found} devices in {what}, and it has {count}"));
        } else if found > count && !dialect.device.several {
            more.push(format!("{node}: {found} devices in {what}, and it offers {count}"));
        }
    }
    for name in &offered.names {
        let is = |reading: &Reading| reading.names.iter().any(|other| other.eq_ignore_ascii_case(name));
        if !metrics.readings.iter().any(is) {
            lacks.push(format!("{node}: no series of the device {name}"));
        }
    }
}

/// Devices of which a quantity is told. Where devices are told as a whole, those that are told in parts only are not offered
/// as a whole.
fn devices(metrics: &Metrics, quantity: Quantity) -> BTreeSet<&str> {
    let any = is_told_whole(metrics, quantity);
    let readings = metrics.readings.iter().filter(|reading| reading.quantity == quantity);
    readings.filter(|reading| !any || is_whole(reading)).map(|reading| whole(&reading.device)).collect()
}

/// Parts of devices of which a quantity is told.
fn parts(metrics: &Metrics, quantity: Quantity) -> BTreeSet<&str> {
    let readings = metrics.readings.iter().filter(|reading| reading.quantity == quantity);
    readings.map(|reading| reading.device.as_str()).collect()
}

fn is_whole(reading: &Reading) -> bool {
    whole(&reading.device) == reading.device
}

/// Tells whether a quantity is told of any device as a whole.
fn is_told_whole(metrics: &Metrics, quantity: Quantity) -> bool {
    metrics.readings.iter().any(|reading| reading.quantity == quantity && is_whole(reading))
}

/// Metrics of one node: by its name, or by the first part of it, where a label has the whole or that.
fn of_node(metrics: &Metrics, node: &str) -> Metrics {
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_meant = |reading: &&Reading| {
        let whole = reading.node.contains('.') && node.contains('.');
        if whole { reading.node.eq_ignore_ascii_case(node) } else { first(&reading.node) == first(node) }
    };
    Metrics { readings: metrics.readings.iter().filter(is_meant).cloned().collect(), ..metrics.clone() }
}

/// Tells whether every series says its node, and one of them one that is there: a label may hold something else.
fn tells_nodes(metrics: &Metrics, census: &Census) -> bool {
    let all = metrics.readings.iter().all(|reading| !reading.node.is_empty());
    all && census.nodes.keys().any(|node| !of_node(metrics, node).readings.is_empty())
}

fn is_of(census: &Census, scrape: &Scraped, node: &str) -> bool {
    census.endpoints.get(&scrape.endpoint).is_some_and(|of| of == node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::{dialect, read};

    /// Lacks of a node that offers so many, by what an exporter tells.
    fn lacks(id: &str, devices: u64, text: &str) -> Vec<String> {
        let dialect = dialect(id).unwrap();
        let metrics = read(Some(dialect), text).unwrap();
        let (mut lacks, mut more) = (Vec::new(), Vec::new());
        let offered = Offered { devices, names: Vec::new() };
        compare("n", &offered, &metrics, dialect, (&mut lacks, &mut more));
        lacks
    }

    fn told(name: &str, labels: &[&str]) -> String {
        labels.iter().map(|labels| format!("{name}{{{labels}}} 1\n")).collect()
    }

    #[test]
    fn one_endpoint_of_several_nodes_is_parted_by_their_names() {
        let labels = |node: &str, uuid: &str| format!("Hostname=\"{node}\",UUID=\"{uuid}\"");
        let all = [labels("n1", "a"), labels("n1", "b"), labels("N2.example", "c")];
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let text = told("DCGM_FI_DEV_GPU_UTIL", &all) + &told("DCGM_FI_DEV_FB_USED", &all);
        let metrics = read(dialect("dcgm"), &text).unwrap();
        let of = |node: &str| devices(&of_node(&metrics, node), Quantity::Utilisation).len();
        assert_eq!((of("n1"), of("n2"), of("n1.example"), of("n2.other"), of("n")), (2, 1, 2, 0, 0));
    }

    #[test]
    fn slices_that_are_offered_as_devices_are_counted_as_such() {
        let of = |slices: &[&str]| {
            told("DCGM_FI_PROF_GR_ENGINE_ACTIVE", slices) + &told("DCGM_FI_DEV_FB_USED", slices)
        };
        let both = ["UUID=\"GPU-a\",GPU_I_ID=\"1\"", "UUID=\"GPU-a\",GPU_I_ID=\"2\""];
        assert!(lacks("dcgm", 2, &of(&both)).is_empty());
        assert_eq!(lacks("dcgm", 2, &of(&both[..1])).len(), 2);
        // Slices in time of one device are no parts of it.
        let shared = ["UUID=\"GPU-a\",vgpu=\"0\"", "UUID=\"GPU-a\",vgpu=\"1\""];
        assert!(lacks("dcgm", 1, &of(&shared)).is_empty());
    }

    #[test]
    fn partitions_of_which_one_quantity_is_told_are_lacks_of_the_other() {
        let first = ["gpu_uuid=\"a\",gpu_partition_id=\"0\"", "gpu_uuid=\"b\",gpu_partition_id=\"0\""];
        let all =
            [&first[..], &["gpu_uuid=\"a\",gpu_partition_id=\"1\"", "gpu_uuid=\"b\",gpu_partition_id=\"1\""]]
                .concat();
        let half = told("gpu_gfx_activity", &first) + &told("gpu_used_vram", &first);
        let found = lacks("amd", 4, &half);
        assert_eq!(
            found,
            ["n: 2 devices in utilisation, and it has 4", "n: 2 devices in memory, and it has 4"]
        );
        let mended = told("gpu_gfx_activity", &first) + &told("gpu_used_vram", &all);
        assert_eq!(lacks("amd", 4, &mended), ["n: 2 devices in utilisation, and it has 4"]);
    }
}
