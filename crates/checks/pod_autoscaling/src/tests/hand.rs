//! Runs made by hand.

use crate::RULES;
use crate::marks::{Facts, Looked, Mark, autoscalers};
use crate::plan::{Name, Step, steps};
use aiconform_model::probe::Look;
use aiconform_model::{Change, Event, EventKind, Kind};
use aiconform_trial::testing::{Tape, judged};
use aiconform_verdict::Judgement;
use serde_json::{Value, json};

pub const CHECK: &str = "pod_autoscaling";
pub const SUBJECT: &str = "custom-metrics";
const RESOURCE: &str = "x.com/gpu";
const TARGET: f64 = 10.0;
const MOST: u64 = 4;

/// How a step goes that does not go well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goes {
    /// The replicas become so many, and stay.
    Becomes(u64),
    /// The replicas become so many, and then what they must.
    PassesBy(u64),
    /// The replicas are what they must be, and the autoscaler never says that it saw the value.
    Unnoticed,
    /// The metrics API tells so many times the value.
    Times(f64),
    /// The metrics API tells nothing.
    Untold,
    /// The metrics API answers with an error.
    Refused,
    /// The replicas become so many, and the metrics API tells nothing any more.
    BecomesUntold(u64),
    /// The pods do not run, for this reason; for none, they are not created.
    Waits(&'static str),
    /// The autoscaler goes on saying that it has the metric.
    Active,
    /// What the decoy says is not told.
    DecoyUntold,
    /// The autoscaler follows, or speaks, only after so many milliseconds.
    Late(i64),
    /// The new pods run only after so many milliseconds.
    RunsLate(i64),
    /// The run ends here, for this reason.
    Stops,
}

/// A run and what is wrong with it.
#[derive(Clone, Default)]
pub struct Run {
    /// A step and how it goes.
    pub wrong: Option<(Name, Goes)>,
    /// The scaled pods reach nothing.
    pub without_device: bool,
    /// The plain pod reaches what the others reach.
    pub leak: bool,
    /// A driver stands behind the devices.
    pub real: bool,
    /// The pods run on a node without accelerators.
    pub elsewhere: bool,
    /// Pods lose what they ask for on their way in.
    pub rewritten: bool,
    /// Someone deletes the pod that says the metric.
    pub carrier_deleted: bool,
    /// Someone changes the autoscaler's limits.
    pub limits_changed: bool,
    /// All pods reach one device.
    pub one_device: bool,
    /// There is one namespace for everything.
    pub together: bool,
    /// The metric is an external one: the pods' sum, in one series.
    pub external: bool,
    /// Someone scales the Deployment to so many.
    pub scaled_by_hand: Option<u64>,
}

struct Log {
    tape: Tape,
    external: bool,
}

impl Log {
    fn push(&mut self, kind: EventKind) {
        self.tape.pass(99).push(kind);
    }

    fn mark(&mut self, mark: &Mark) {
        self.tape.pass(99).mark(mark);
    }

    fn watch(&mut self, kind: Kind, change: Change, object: Value) {
        self.tape.pass(99).watch(kind, change, object);
    }

    fn replicas(&mut self, replicas: u64) {
        self.watch(
            Kind::deployment(),
            Change::Modified,
            json!({"metadata": {"name": "scaled"}, "spec": {"replicas": replicas}}),
        );
    }

    fn scaler(&mut self, wants: u64, average: Option<f64>, active: bool, most: u64) {
        let word = if active { "True" } else { "False" };
        let reason = if active { "ValidMetricFound" } else { "FailedGetPodsMetric" };
        let mut status = json!({"desiredReplicas": wants,
            "conditions": [{"type": "ScalingActive", "status": word, "reason": reason, "message": "said"}]});
        let of = if self.external { "external" } else { "pods" };
        if let Some(average) = average {
            status["currentMetrics"] =
                json!([{of: {"current": {"averageValue": format!("{}m", (average * 1000.0).round())}}}]);
        }
        let spec = json!({"minReplicas": 1, "maxReplicas": most, "metrics": [{of: {"target": {"averageValue": "10"}}}]});
        self.watch(
            autoscalers(),
            Change::Modified,
            json!({"metadata": {"name": "scaled"}, "spec": spec, "status": status}),
        );
    }

    fn told(&mut self, namespace: &str, status: u16, values: &[(String, f64)]) {
        let item = |(pod, value): &(String, f64)| json!({"describedObject": {"name": pod}, "value": value.to_string()});
        let mut items: Vec<Value> = values.iter().map(item).collect();
        if self.external && !values.is_empty() {
            let sum: f64 = values.iter().map(|(_, value)| value).sum();
            items = vec![json!({"metricName": "m", "metricLabels": {}, "value": sum.to_string()})];
        }
        let text = if status == 200 {
            json!({"kind": "MetricValueList", "items": items})
        } else {
            json!({"kind": "Status"})
        };
        self.push(EventKind::Scrape {
            endpoint: format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/pods/*/m"),
            status,
            content_type: "application/json".into(),
            text: text.to_string(),
            cut: None,
            why: String::new(),
            milliseconds: 5,
        });
    }
}

impl Run {
    pub fn wrong(name: Name, goes: Goes) -> Run {
        Run { wrong: Some((name, goes)), ..Run::default() }
    }

    fn looked(&self, pod: &str, node: &str, device: Option<u32>) -> Looked {
        let look: Look = serde_json::from_value(self.look(device)).unwrap();
        Looked { pod: pod.into(), node: node.into(), look }
    }

    fn look(&self, device: Option<u32>) -> Value {
        let errno = if self.real { 0 } else { 6 };
        let name = if self.real { "" } else { "ENXIO" };
        let devices: Vec<Value> = device
            .map(|minor| {
                json!({"path": format!("/dev/accel{minor}"), "number": {"major": 240, "minor": minor},
                "opening": {"errno": errno, "name": name}})
            })
            .into_iter()
            .collect();
        json!({"devices": devices, "paths": [], "numbers": [], "sockets": [], "environment": {}, "mounts": [],
            "user": 1000, "started": "1"})
    }

    fn pod(&self, log: &mut Log, number: u64, change: Change) {
        let limits = if self.rewritten { json!({}) } else { json!({RESOURCE: "1"}) };
        log.watch(Kind::pod(), change, json!({"metadata": {"name": format!("scaled-{number}"), "uid": number.to_string(),
            "labels": {"aiconform.dev/role": "scaled"}}, "spec": {"containers": [{"resources": {"limits": limits}}]}}));
    }

    /// A pod that does not run.
    fn waiting(&self, log: &mut Log, number: u64, reason: &str) {
        self.pod(log, number, Change::Added);
        let Some(Event { kind: EventKind::Watch { object, .. }, .. }) = log.tape.events.last_mut() else {
            return;
        };
        object.0["status"] = match reason {
            "Unschedulable" => {
                json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": reason,
                "message": "0/1 nodes are available: Insufficient x.com/gpu"}]})
            }
            _ => json!({"containerStatuses": [{"name": "probe", "state": {"waiting": {"reason": reason}}}]}),
        };
    }

    fn given(&self, log: &mut Log, numbers: std::ops::Range<u64>) {
        let node = if self.elsewhere { "node-9" } else { "node-0" };
        let pods = numbers
            .map(|number| {
                let device = (!self.without_device).then_some(if self.leak || self.one_device {
                    0
                } else {
                    u32::try_from(number).unwrap()
                });
                self.looked(&format!("scaled-{number}"), node, device)
            })
            .collect();
        log.mark(&Mark::Given { pods });
    }

    /// The events.
    pub fn events(&self) -> Vec<Event> {
        let subject = if self.external { "external-metrics" } else { SUBJECT };
        let mut log = Log { tape: Tape::new(CHECK, subject), external: self.external };
        let facts = Facts {
            own_control: true,
            target: TARGET,
            most: MOST,
            metric: "m".into(),
            given_by: "device-plugin".into(),
            asked_by: RESOURCE.into(),
            nodes: vec!["node-0".into()],
            apart: !self.together,
            ..Facts::default()
        };
        log.tape.started(json!(facts));
        log.mark(&Mark::Create {});
        log.replicas(1);
        self.pod(&mut log, 0, Change::Added);
        log.mark(&Mark::Plain(Box::new(self.looked("decoy", "node-0", self.leak.then_some(0)))));
        self.given(&mut log, 0..1);
        let mut current = 1;
        let is_tried = |step: &Step| !self.external || step.name != Name::Decoy;
        for step in steps(TARGET, MOST).into_iter().filter(is_tried) {
            if !self.step(&mut log, &step, &mut current) {
                break;
            }
        }
        log.mark(&Mark::Over {});
        self.pod(&mut log, 0, Change::Deleted);
        log.tape.ended();
        log.tape.events
    }

    fn step(&self, log: &mut Log, step: &Step, current: &mut u64) -> bool {
        let name = step.name;
        let goes = self.wrong.filter(|(wrong, _)| *wrong == step.name).map(|(_, goes)| goes);
        let close = |log: &mut Log, why: &str| {
            log.mark(&Mark::Closed { step: name, reached: why.is_empty(), why: why.into() });
            why.is_empty() || step.name == Name::Missing
        };
        log.mark(&Mark::Step(*step));
        if step.decoy > 0.0 && goes != Some(Goes::DecoyUntold) {
            log.told("r-autoscaling-other", 200, &[("decoy".into(), step.decoy)]);
        }
        if step.decoy > 0.0 && goes == Some(Goes::DecoyUntold) {
            return close(log, "waited 120 s for the API; last seen: it tells nothing of decoy");
        }
        if self.carrier_deleted && step.name == Name::Rest {
            self.pod(log, 0, Change::Deleted);
        }
        if let Some(replicas) = self.scaled_by_hand.filter(|_| step.name == Name::Rest) {
            log.replicas(replicas);
            log.replicas(*current);
        }
        let Some(value) = step.value else {
            log.told("r-autoscaling", 404, &[]);
            if goes == Some(Goes::Untold) {
                log.told("r-autoscaling", 200, &[("scaled-0".into(), 15.0)]);
                return close(log, "waited 120 s for nothing; last seen: it still tells values");
            }
            log.mark(&Mark::Shown { step: name });
            if let Some(Goes::Late(milliseconds)) = goes {
                log.tape.pass(milliseconds);
            }
            let mut why = "";
            match goes {
                Some(Goes::Active) => why = "waited 60 s for the autoscaler's word",
                Some(Goes::Becomes(replicas)) => {
                    log.scaler(replicas, None, false, MOST);
                    log.replicas(replicas);
                    *current = replicas;
                }
                _ => log.scaler(*current, None, false, MOST),
            }
            return close(log, why);
        };
        let told = |current: u64, factor: f64| -> Vec<(String, f64)> {
            (0..current)
                .map(|number| (format!("scaled-{number}"), if number == 0 { value * factor } else { 0.0 }))
                .collect()
        };
        match goes {
            Some(Goes::Stops) => {
                log.push(EventKind::Stopped { why: "the API server went away".into() });
                return false;
            }
            Some(Goes::Times(factor)) => {
                log.told("r-autoscaling", 200, &told(*current, factor));
                return close(log, "waited 120 s for the API; last seen: it tells something else");
            }
            Some(Goes::Untold) => {
                log.told("r-autoscaling", 404, &[]);
                return close(log, "waited 120 s for the API; last seen: it was answered with status 404");
            }
            Some(Goes::Refused) => {
                log.told("r-autoscaling", 500, &[]);
                return close(log, "waited 120 s for the API; last seen: it was answered with status 500");
            }
            _ => log.told("r-autoscaling", 200, &told(*current, 1.0)),
        }
        log.mark(&Mark::Shown { step: name });
        let most = if self.limits_changed { 9 } else { MOST };
        if let Some(Goes::Becomes(replicas) | Goes::BecomesUntold(replicas)) = goes {
            if matches!(goes, Some(Goes::BecomesUntold(_))) {
                log.told("r-autoscaling", 503, &[]);
            }
            log.scaler(replicas, Some(value / replicas.max(1) as f64), true, most);
            log.replicas(replicas);
            return close(log, "waited 60 s for replicas to become what they must");
        }
        if let Some(Goes::PassesBy(replicas)) = goes {
            log.scaler(replicas, Some(value), true, most);
            log.replicas(replicas);
        }
        log.scaler(step.replicas, Some(value / *current as f64), true, most);
        if step.replicas != *current || matches!(goes, Some(Goes::PassesBy(_))) {
            log.replicas(step.replicas);
        }
        if let Some(Goes::Late(milliseconds)) = goes {
            log.tape.pass(milliseconds);
        }
        log.mark(&Mark::Decided { step: name });
        if let Some(Goes::RunsLate(milliseconds)) = goes {
            log.tape.pass(milliseconds);
        }
        if let Some(Goes::Waits(reason)) = goes {
            let created = if reason.is_empty() { 0..0 } else { *current..step.replicas };
            created.for_each(|number| self.waiting(log, number, reason));
            return close(
                log,
                "waited 120 s for 2 pods with an accelerator to run; last seen: 1 of 2 pods serve",
            );
        }
        if [Name::FirstUp, Name::SecondUp].contains(&step.name) {
            for number in *current..step.replicas {
                self.pod(log, number, Change::Added);
            }
            self.given(log, *current..step.replicas);
        }
        *current = step.replicas;
        if goes == Some(Goes::Unnoticed) {
            return close(log, "waited 120 s for the autoscaler to see an average");
        }
        log.scaler(step.replicas, Some(value / step.replicas as f64), true, most);
        close(log, "")
    }

    /// What comes of it.
    pub fn judged(&self) -> Judgement {
        judge_events(self.events())
    }
}

pub fn judge_events(events: Vec<Event>) -> Judgement {
    judged(&RULES, events)
}

/// The outcome of a claim in a word, and what is said of it.
pub fn outcome<'a>(judged: &'a Judgement, claim: &str) -> (&'static str, &'a str) {
    let found = judged.subjects[0].claims.iter().find(|it| it.id == claim).unwrap();
    (found.outcome.word(), found.outcome.text())
}
