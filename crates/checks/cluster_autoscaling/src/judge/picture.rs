//! Nodes against the pods that wait for them, over time.

use super::history::{History, Node};
use aiconform_trial::Moment;
use aiconform_verdict::{ClaimJudgement, Drawing, Lane, Mark, Outcome, Picture, Span, Tone};

/// The pictures of a subject.
pub fn pictures(history: &History, claims: &[ClaimJudgement]) -> Vec<Picture> {
    picture(history, claims).into_iter().collect()
}

fn picture(history: &History, claims: &[ClaimJudgement]) -> Option<Picture> {
    let outcome = |id: &str| claims.iter().find(|claim| claim.id == id).map(|claim| &claim.outcome);
    let (up, down) = (outcome("node_comes")?, outcome("node_goes")?);
    let (start, end) = (history.steps.begin?.when, history.steps.last);
    let since = |when: Moment| {
        let time = when.min(end).since(start);
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    };
    let mut lanes = Vec::new();
    let steps = history.steps.impossible.iter().chain(&history.steps.triggers);
    for step in steps {
        let Some(pod) = history.pods.get(&step.pod) else { continue };
        let gone = since(pod.gone.map_or(end, |gone| gone.when));
        let bound = pod.bound.as_ref().map_or(gone, |(bound, _)| since(bound.when));
        let mut spans = vec![Span { from: since(pod.came.when), to: bound, state: "held" }];
        if bound < gone {
            spans.push(Span { from: bound, to: gone, state: "bound" });
        }
        // Lanes are sorted by name; what came first is to be on top.
        lanes.push(Lane {
            name: format!("{}. pod {}", lanes.len() + 1, step.pod),
            group: "1-p".into(),
            spans,
        });
    }
    let nodes: Vec<&Node> = history.new_nodes().collect();
    lanes.extend(nodes.iter().enumerate().map(|(number, node)| lane(number, node, &since, end)));
    let tone = match (up, down) {
        (Outcome::Met { .. }, Outcome::Met { .. }) => Tone::Good,
        (Outcome::Unmet { .. }, _) | (_, Outcome::Unmet { .. }) => Tone::Bad,
        _ => Tone::Open,
    };
    let marks = history.steps.deleted.iter();
    let marks = marks.map(|step| Mark { at: since(step.mark.when), name: "pod deleted".into() });
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
        place: 0,
        gallery: None,
        drawing: Drawing::Lanes { lanes, marks: marks.collect(), length: since(end) },
    })
}

/// A node: thin until it is ready.
fn lane(number: usize, node: &Node, since: &dyn Fn(Moment) -> u64, end: Moment) -> Lane {
    let gone = since(node.gone.map_or(end, |gone| gone.when));
    let ready = node.ready.map_or(gone, |ready| since(ready.when));
    let mut spans = vec![Span { from: since(node.came.when), to: ready, state: "held" }];
    if ready < gone {
        spans.push(Span { from: ready, to: gone, state: "bound" });
    }
    Lane { name: format!("{}. node {}", number + 1, node.name), group: "2-n".into(), spans }
}
