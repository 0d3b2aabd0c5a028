//! Nodes against the pods that wait for them, over time.

use super::history::{History, Node};
use super::judge;
use aiconform_model::Event;
use aiconform_verdict::{Lane, Mark, Outcome, Picture, Span, Subject, Tone};

/// The pictures of a subject.
pub fn pictures(events: &[&Event], subject: &Subject) -> Vec<Picture> {
    let history = History::of(events, subject);
    picture(&history, &judge::node_comes(events, subject), &judge::node_goes(events, subject))
        .into_iter()
        .collect()
}

fn picture(history: &History, up: &Outcome, down: &Outcome) -> Option<Picture> {
    let (start, end) = (history.phase("begin")?.time, history.phases.last()?.time);
    let since = |at: i64| u64::try_from(at.clamp(start, end) - start).unwrap_or_default();
    let mut lanes = Vec::new();
    let pods = history.phases.iter().filter(|phase| ["impossible", "trigger"].contains(&phase.name.as_str()));
    for phase in pods {
        let Some(pod) = history.pods.get(&phase.pod) else { continue };
        let gone = since(pod.gone.map_or(end, |gone| gone.1));
        let bound = pod.bound.as_ref().map_or(gone, |bound| since(bound.1));
        let mut spans = vec![Span { from: since(pod.time), to: bound, state: "held" }];
        if bound < gone {
            spans.push(Span { from: bound, to: gone, state: "bound" });
        }
        // Lanes are sorted by name; what came first is to be on top.
        lanes.push(Lane {
            name: format!("{}. pod {}", lanes.len() + 1, phase.pod),
            group: "1-p".into(),
            spans,
        });
    }
    let nodes: Vec<&Node> = history.new_nodes().collect();
    lanes.extend(nodes.iter().enumerate().map(|(number, node)| lane(number, node, &since, end)));
    let tone = match (up, down) {
        (Outcome::Met { .. }, Outcome::Met { .. }) => Tone::Whole,
        (Outcome::Unmet { .. }, _) | (_, Outcome::Unmet { .. }) => Tone::Part,
        _ => Tone::Open,
    };
    let marks =
        history.all("deleted").map(|phase| Mark { at: since(phase.time), name: "pod deleted".into() });
    Some(Picture {
        title: "Pods that wait (P), and nodes that come and go (N)".into(),
        caption: format!(
            "{} pods waited for a node; {} nodes came, and {} went",
            history.waiting().count(),
            nodes.len(),
            nodes.iter().filter(|node| node.gone.is_some()).count()
        ),
        tone,
        series: "Nodes against pods".into(),
        lanes,
        marks: marks.collect(),
        curves: Vec::new(),
        count: None,
        shades: Vec::new(),
        grid: None,
        bars: Vec::new(),
        length: since(end),
    })
}

/// A node: thin until it is ready.
fn lane(number: usize, node: &Node, since: &dyn Fn(i64) -> u64, end: i64) -> Lane {
    let gone = since(node.gone.map_or(end, |gone| gone.1));
    let ready = node.ready.map_or(gone, |ready| since(ready.1));
    let mut spans = vec![Span { from: since(node.came.1), to: ready, state: "held" }];
    if ready < gone {
        spans.push(Span { from: ready, to: gone, state: "bound" });
    }
    Lane { name: format!("{}. node {}", number + 1, node.name), group: "2-n".into(), spans }
}
