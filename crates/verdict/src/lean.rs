//! What of the evidence judging holds in memory: everything but those parts of pods and nodes that no check reads. With
//! hundreds of both, each seen several times, they are most of it.

use crate::claim::Rules;
use aiconform_model::{Event, EventKind, Kind};
use serde_json::Value;

/// Takes from events, in their order, what nobody reads.
pub struct Lean<'a> {
    rules: Vec<&'a Rules>,
    /// Of pods and of nodes, what no check reads and no subject that has started; nothing before the first.
    unread: Vec<(Kind, Vec<&'static str>)>,
}

impl<'a> Lean<'a> {
    /// For all checks that judge.
    pub fn new(rules: impl IntoIterator<Item = &'a Rules>) -> Lean<'a> {
        Lean { rules: rules.into_iter().collect(), unread: Vec::new() }
    }

    /// Takes from one event what nobody reads of it.
    pub fn cut(&mut self, event: &mut Event) {
        match &mut event.kind {
            EventKind::SubjectStarted { facts, .. } => self.start(&event.scope.check, facts),
            EventKind::Watch { kind, object, .. } => self.take(kind, &mut object.0),
            EventKind::Exchange { path, request, response, .. }
                if path.split('?').next().is_some_and(|path| path.ends_with("/pods")) =>
            {
                request.iter_mut().chain(response).for_each(|pod| self.take(&Kind::pod(), pod));
            }
            _ => {}
        }
    }

    fn start(&mut self, check: &str, facts: &Value) {
        let of_all = |kind: Kind| {
            let first = self.rules.first().map_or(&[] as &[_], |rules| (rules.unread)(&kind, &Value::Null));
            (kind, first.to_vec())
        };
        if self.unread.is_empty() {
            self.unread = [Kind::pod(), Kind::node()].map(of_all).into();
        }
        for (kind, unread) in &mut self.unread {
            for rules in &self.rules {
                // Of other checks a subject may still start.
                let facts = if rules.check == check { facts } else { &Value::Null };
                unread.retain(|pointer| (rules.unread)(kind, facts).contains(pointer));
            }
        }
    }

    fn take(&self, kind: &Kind, object: &mut Value) {
        let unread = self.unread.iter().filter(|(known, _)| known == kind).flat_map(|(_, unread)| unread);
        for pointer in unread {
            if let Some((place, field)) = pointer.rsplit_once('/')
                && let Some(fields) = object.pointer_mut(place).and_then(Value::as_object_mut)
            {
                fields.remove(field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Aggregate;
    use aiconform_model::{Change, Object, Scope};
    use serde_json::json;

    type Unread = fn(&Kind, &Value) -> &'static [&'static str];

    fn rules(check: &'static str, unread: Unread) -> Rules {
        Rules {
            check,
            aggregate: Aggregate::AnySubject,
            claims: &[],
            unread,
            guard: |_, _| None,
            grade: |_, _| None,
            measures: |_, _| Vec::new(),
            pictures: |_, _| Vec::new(),
            advice: "install one",
        }
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
        let watch = EventKind::Watch { kind, change: Change::Added, object: Object(whole()) };
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
        let mut lean = Lean::new(&rules);
        assert_eq!(seen(&mut lean, Kind::pod()), whole(), "nothing has started");
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod()), less());
        assert_eq!(seen(&mut lean, Kind::node())["spec"], json!({"b": whole()["spec"]["b"]}));
        assert_eq!(seen(&mut lean, Kind::job()), whole());
        assert_eq!(exchanged(&mut lean, "/api/v1/namespaces/n/pods?dryRun=All"), [less(), less()]);
        assert_eq!(exchanged(&mut lean, "/apis/batch/v1/namespaces/n/jobs"), [whole(), whole()]);
        started(&mut lean, json!({"all": true}));
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod()), whole(), "a subject reads all of it");
    }

    #[test]
    fn what_another_check_may_read_stays() {
        let rules = [rules("c", OF_C), rules("d", |_, _| &["/spec/b/0/c"]), rules("e", |_, _| &[])];
        let mut lean = Lean::new(&rules[..2]);
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod())["spec"], json!({"a": {"x": 1}, "b": [{"d": 2}, {"c": 3}]}));
        let mut lean = Lean::new(&rules);
        started(&mut lean, json!({}));
        assert_eq!(seen(&mut lean, Kind::pod()), whole());
    }
}
