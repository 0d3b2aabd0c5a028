//! Lean evidence: all of it but those parts of pods and nodes that no check reads, which judging does not hold in memory.
//! With hundreds of both, each seen several times, they are most of it.

use crate::claim::Judged;
use aiconform_model::{Change, Event, EventKind, Kind};
use serde_json::Value;

/// Removes from events, in their order, the parts of pods and nodes that nobody reads.
pub struct Lean<'a> {
    rules: Vec<&'a dyn Judged>,
    /// Parts that no check reads and no subject that has started; nothing before the first.
    unread: Option<Unread>,
}

/// JSON pointers to the parts that nobody reads.
struct Unread {
    pods: Vec<&'static str>,
    nodes: Vec<&'static str>,
    /// Of pods that are there already.
    later: Vec<&'static str>,
}

impl Unread {
    fn of(rules: &dyn Judged, facts: &Value) -> Unread {
        Unread {
            pods: rules.unread(&Kind::pod(), facts).to_vec(),
            nodes: rules.unread(&Kind::node(), facts).to_vec(),
            later: rules.unread_later(facts).to_vec(),
        }
    }

    /// The parts that neither reads.
    fn and(mut self, other: &Unread) -> Unread {
        self.pods.retain(|pointer| other.pods.contains(pointer));
        self.nodes.retain(|pointer| other.nodes.contains(pointer));
        self.later.retain(|pointer| other.later.contains(pointer));
        self
    }
}

impl<'a> Lean<'a> {
    /// For all checks that judge.
    pub fn new(rules: impl IntoIterator<Item = &'a dyn Judged>) -> Lean<'a> {
        Lean { rules: rules.into_iter().collect(), unread: None }
    }

    /// Removes from one event the parts that nobody reads.
    pub fn cut(&mut self, event: &mut Event) {
        if let EventKind::SubjectStarted { facts, .. } = &event.kind {
            self.start(&event.scope.check, facts);
        }
        let Some(unread) = &self.unread else { return };
        match &mut event.kind {
            EventKind::Watch { kind, object, change } if *kind == Kind::pod() => {
                take(&unread.pods, &mut object.0);
                if matches!(change, Change::Modified | Change::Deleted) {
                    take(&unread.later, &mut object.0);
                }
            }
            EventKind::Watch { kind, object, .. } if *kind == Kind::node() => {
                take(&unread.nodes, &mut object.0);
            }
            EventKind::Exchange { path, request, response, .. }
                if path.split('?').next().is_some_and(|path| path.ends_with("/pods")) =>
            {
                request.iter_mut().chain(response).for_each(|pod| take(&unread.pods, pod));
            }
            _ => {}
        }
    }

    fn start(&mut self, check: &str, facts: &Value) {
        for rules in &self.rules {
            // Of other checks a subject may still start.
            let of = Unread::of(*rules, if rules.check() == check { facts } else { &Value::Null });
            self.unread = Some(match self.unread.take() {
                Some(before) => before.and(&of),
                None => of,
            });
        }
    }
}

fn take(unread: &[&str], object: &mut Value) {
    for pointer in unread {
        if let Some((place, field)) = pointer.rsplit_once('/')
            && let Some(fields) = object.pointer_mut(place).and_then(Value::as_object_mut)
        {
            fields.remove(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Aggregate;
    use crate::testing::{StandIn, Unread};
    use aiconform_model::{Object, Scope};
    use serde_json::json;

    fn rules(check: &'static str, unread: Unread) -> StandIn {
        StandIn { unread, unread_later: &["/spec/b"], ..StandIn::of(check, Aggregate::AnySubject) }
    }

    fn all(rules: &[StandIn]) -> impl Iterator<Item = &dyn Judged> {
        rules.iter().map(|rules| rules as &dyn Judged)
    }

    const OF_C: Unread = |kind, facts| match (kind.plural.as_str(), &facts["all"]) {
        ("pods", Value::Null) => &["/spec/a", "/spec/b/0/c", "/none/d"],
        ("nodes", _) => &["/spec/a"],
        _ => &[],
    };

    fn cut(lean: &mut Lean, kind: EventKind) -> EventKind {
        let (time, scope) = ("2026-01-01T00:00:00Z".parse().unwrap(), Scope::new("c", "s"));
        let mut event = Event { sequence: 0, time, scope, kind };
        lean.cut(&mut event);
        event.kind
    }

    fn started(lean: &mut Lean, facts: Value) {
        cut(lean, EventKind::SubjectStarted { facts, control: false, declared: false });
    }

    fn whole() -> Value {
        json!({"metadata": {"name": "a"}, "spec": {"a": {"x": 1}, "b": [{"c": 1, "d": 2}, {"c": 3}]}})
    }

    fn less() -> Value {
        json!({"metadata": {"name": "a"}, "spec": {"b": [{"d": 2}, {"c": 3}]}})
    }

    fn seen(lean: &mut Lean, kind: Kind) -> Value {
        changed(lean, kind, Change::Added)
    }

    fn changed(lean: &mut Lean, kind: Kind, change: Change) -> Value {
        let watch = EventKind::Watch { kind, change, object: Object(whole()) };
        let EventKind::Watch { object, .. } = cut(lean, watch) else { panic!() };
        object.0
    }

    fn exchanged(lean: &mut Lean, path: &str) -> [Value; 2] {
        let (method, path) = ("POST".into(), path.into());
        let (request, response) = (Some(whole()), Some(whole()));
        let exchange = EventKind::Exchange { method, path, status: 201, request, response, milliseconds: 1 };
        let EventKind::Exchange { request, response, .. } = cut(lean, exchange) else { panic!() };
        [request.unwrap(), response.unwrap()]
    }

    #[test]
    fn pods_and_nodes_lose_what_nobody_reads_and_nothing_else_does() {
        let rules = [rules("c", OF_C)];
        let mut lean = Lean::new(all(&rules));
        assert_eq!(seen(&mut lean, Kind::pod()), whole(), "nothing has started");
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod()), less());
        assert_eq!(seen(&mut lean, Kind::node())["spec"], json!({"b": whole()["spec"]["b"]}));
        assert_eq!(seen(&mut lean, Kind::job()), whole());
        let later = changed(&mut lean, Kind::pod(), Change::Modified);
        assert_eq!(later, json!({"metadata": {"name": "a"}, "spec": {}}));
        assert_eq!(changed(&mut lean, Kind::pod(), Change::Listed), less(), "it is seen for the first time");
        assert_eq!(exchanged(&mut lean, "/api/v1/namespaces/n/pods?dryRun=All"), [less(), less()]);
        assert_eq!(exchanged(&mut lean, "/apis/batch/v1/namespaces/n/jobs"), [whole(), whole()]);
        started(&mut lean, json!({"all": true}));
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod()), whole(), "a subject reads all of it");
    }

    #[test]
    fn what_another_check_may_read_stays() {
        let rules = [rules("c", OF_C), rules("d", |_, _| &["/spec/b/0/c"]), rules("e", |_, _| &[])];
        let mut lean = Lean::new(all(&rules[..2]));
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod())["spec"], json!({"a": {"x": 1}, "b": [{"d": 2}, {"c": 3}]}));
        let mut lean = Lean::new(all(&rules));
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod()), whole());
    }
}
