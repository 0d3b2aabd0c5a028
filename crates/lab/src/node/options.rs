//! Words of a user on a node: its name, then `key=value` for each thing that is not as usual.

use super::Node;
use crate::breakage::{Breakage, Mechanism};
use aiconform_simulator::Other;
use std::str::FromStr;

/// Things that can be said of a node.
const KNOWN: &str = "label=KEY=VALUE, taint=KEY=VALUE:EFFECT, cpu=500m, memory=2Gi, pods=20, devices=4:MODEL, devices=none, probe=none, break=NAME";

impl FromStr for Node {
    type Err = String;

    fn from_str(text: &str) -> Result<Node, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let number = name.strip_prefix("node-").and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| format!("{name:?} is no node of a lab: say `node-1 …`"))?;
        let mut node = Node::plain(number);
        for word in words {
            let unknown = || format!("{word:?} says nothing of {name}; there is: {KNOWN}");
            let (key, value) = word.split_once('=').ok_or_else(unknown)?;
            match key {
                "label" if value.contains('=') => node.labels.push(value.to_owned()),
                "taint" if value.contains(':') => node.taints.push(value.to_owned()),
                "cpu" => node.millicores = Some(millicores(value).ok_or_else(unknown)?),
                "memory" => node.mebibytes = Some(mebibytes(value).ok_or_else(unknown)?),
                "pods" => node.pods = Some(value.parse().map_err(|_| unknown())?),
                "devices" if value == "none" => node.bare = true,
                "devices" => {
                    let other: Other = format!("{name}={value}").parse().map_err(|_| unknown())?;
                    (node.devices, node.model, node.bare) = (Some(other.devices), other.model, false);
                }
                "probe" if value == "none" => node.without_probe = true,
                "break" => node.breakages.push(of_runtime(value)?),
                _ => return Err(unknown()),
            }
        }
        Ok(node)
    }
}

fn millicores(text: &str) -> Option<u64> {
    match text.strip_suffix('m') {
        Some(thousandths) => thousandths.parse().ok(),
        None => text.parse::<u64>().ok()?.checked_mul(1000),
    }
}

fn mebibytes(text: &str) -> Option<u64> {
    match text.strip_suffix("Gi") {
        Some(gibibytes) => gibibytes.parse::<u64>().ok()?.checked_mul(1024),
        None => text.strip_suffix("Mi")?.parse().ok(),
    }
}

/// A breakage that one node can have alone.
fn of_runtime(name: &str) -> Result<Breakage, String> {
    let is_of_runtime = |breakage: &Breakage| {
        breakage.mechanisms().iter().all(|mechanism| matches!(mechanism, Mechanism::Runtime(..)))
    };
    Breakage::named(name).filter(is_of_runtime).ok_or_else(|| {
        let known: Vec<&str> = Breakage::all().filter(is_of_runtime).map(Breakage::name).collect();
        format!("one node alone cannot have the breakage {name:?}; there are: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_node_is_read_and_what_is_not_understood_is_named() {
        let node: Node =
            "node-2 label=pool=a label=b= taint=gpu=yes:NoSchedule cpu=500m memory=2Gi pods=20 devices=none probe=none break=runtime-gives-to-all"
                .parse()
                .unwrap();
        assert_eq!((node.number, node.name().as_str(), node.address().as_str()), (2, "node-2", "10.199.0.3"));
        assert_eq!((node.labels.len(), node.taints.len(), node.bare), (2, 1, true));
        assert!(node.without_probe);
        assert_eq!((node.millicores, node.mebibytes, node.pods), (Some(500), Some(2048), Some(20)));
        assert_eq!(node.breakages[0].name(), "runtime-gives-to-all");
        let other = "node-1 devices=4:Large".parse::<Node>().unwrap();
        assert_eq!((other.devices, other.model.as_deref(), other.bare), (Some(4), Some("Large"), false));
        assert_eq!("node-1 cpu=2".parse::<Node>().unwrap().millicores, Some(2000));
        for (text, words) in [
            ("", "is no node"),
            ("worker-1", "is no node"),
            ("node-1 label=pool", "\"label=pool\" says nothing of node-1"),
            ("node-1 memory=2G", "memory=2G"),
            ("node-1 devices=many", "devices=many"),
            ("node-1 fast", "there is: label="),
            ("node-1 break=scheduler-stopped", "one node alone cannot have"),
        ] {
            let said = text.parse::<Node>().unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
