//! Steps of the metric: a value is set, and it is waited until the metrics API tells it and the autoscaler has followed.

use super::objects::{autoscaler, scaled_object, scaled_objects};
use super::stage::Stage;
use super::words::{detail, external_metric, readiness};
use crate::adapters::{Source, alike, is_missing};
use crate::limits::{APPEAR, DECIDE, SHOW};
use crate::marks::{DECOY, Mark, SCALED, autoscalers};
use crate::plan::{Name, Step};
use crate::scaler::Scaler;
use aiconform_accelerators::Probe;
use aiconform_check::cx::Stop;
use aiconform_cluster::{ClusterError, Scratch, Text, TextLimit};
use aiconform_model::probe::{Gauge, PORT};
use aiconform_model::{Bin, Kind};
use aiconform_wait::{TooLate, Wait};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// For so long pods of which nobody says anything are watched beyond the autoscaler's word that it lacks the metric.
const WINDOW: Duration = Duration::from_secs(4);
/// Rest between two questions to the metrics API.
const BETWEEN: Duration = Duration::from_millis(500);
/// Bounds of one answer of the metrics API.
const ANSWER: TextLimit = TextLimit { bytes: 1 << 20, time: Duration::from_secs(10) };

impl Stage<'_> {
    /// Goes one step; gives whether it came to what it must.
    pub async fn step(&self, step: &Step) -> Result<bool, Stop> {
        self.mark(&Mark::Step(*step));
        let said = step.value.map_or("nothing".into(), |value| format!("{value}"));
        self.tell(&format!("{}: the metric is {said}, for {} pods", step.name.word(), step.replicas));
        let mut why = String::new();
        let reached = match self.try_step(step).await {
            Ok(()) => true,
            // What did not come is for the judge.
            Err(Stop::Cluster(ClusterError::TooLate(late))) => {
                why = late.to_string();
                false
            }
            Err(stop) => return Err(stop),
        };
        if !reached {
            self.tell(&format!("{}: {why}", step.name.word()));
        }
        self.mark(&Mark::Closed { step: step.name, reached, why });
        // Whoever has lost pods for want of the metric has its value back afterwards.
        Ok(reached || step.name == Name::Missing)
    }

    async fn try_step(&self, step: &Step) -> Result<(), Stop> {
        if step.decoy > 0.0 {
            self.set(&self.other, &self.decoy_name(), Some(step.decoy)).await?;
            let expected = BTreeMap::from([(self.decoy_name(), step.decoy)]);
            self.shows(&self.other, &expected).await?;
        }
        let Some(value) = step.value else {
            self.fall_silent().await?;
            return self.lacks().await;
        };
        let carrier = self.carrier();
        self.set(&self.own, &carrier, Some(value)).await?;
        let first = step.name == Name::Begin;
        let expected = BTreeMap::from([(carrier, value)]);
        let by_keda = self.target.source == Source::Keda;
        if first && by_keda {
            // Under which name it tells the metric, its autoscaler says.
            self.scaled_by_keda().await?;
        }
        if first {
            self.appears().await?;
        }
        self.shows(&self.own, &expected).await?;
        self.mark(&Mark::Shown { step: step.name });
        if first {
            if !by_keda {
                let metric = (self.target.metric.as_str(), &self.target.selector);
                let (source, target) = (self.target.source, self.target.target);
                let object = autoscaler(&self.name, source, metric, target, self.target.most);
                self.own.create(&autoscalers(), object).await?;
            }
            // That it does something is for the first step up to show.
            return Ok(());
        }
        if let Err(late) = self.decides(step).await {
            // Whether the value is still told, the judge reads.
            self.ask(&self.own).await;
            return Err(late.into());
        }
        self.mark(&Mark::Decided { step: step.name });
        self.run(step.replicas).await?;
        if [Name::FirstUp, Name::SecondUp].contains(&step.name) {
            self.given().await?;
        }
        self.noticed(step, value).await
    }

    /// Has KEDA scale by what the carrying pod says, and waits for the autoscaler that it makes.
    async fn scaled_by_keda(&self) -> Result<(), Stop> {
        let pod = self.own.get(&Kind::pod(), &self.carrier());
        let address = pod.as_ref().map_or("", |pod| pod.text("/status/podIP"));
        let host = if address.contains(':') { format!("[{address}]") } else { address.into() };
        let (said, address) = (&self.target.said, format!("{host}:{PORT}"));
        let object = scaled_object(&self.name, said, &address, self.target.target, self.target.most);
        self.own.create(&scaled_objects(), object).await?;
        let limit = self.cx.limit(&DECIDE).time;
        let look = || match self.own.get(&autoscalers(), &self.name) {
            Some(_) => Ok(()),
            None => {
                Err(self.own.get(&scaled_objects(), &self.name).as_ref().map_or_else(String::new, readiness))
            }
        };
        self.own.until("KEDA to make an autoscaler of its ScaledObject", Bin::Platform, limit, look).await?;
        Ok(())
    }

    /// Has a pod say a value, or nothing.
    async fn set(&self, scratch: &Arc<Scratch>, pod: &str, value: Option<f64>) -> Result<(), Stop> {
        let gauge = Gauge { name: self.target.said.clone(), value };
        let body = serde_json::to_value(gauge).unwrap_or_default();
        Probe::of(scratch.clone(), pod).tell("/gauge", &body).await
    }

    /// Waits until the metrics API tells anything of the scaled pods.
    async fn appears(&self) -> Result<(), TooLate> {
        let ask = || async {
            let text = self.ask(&self.own).await;
            match text.lack() {
                Some(why) => Err(format!("{why}{}", detail(&text.text))),
                None if self.target.source.values(&text.text)?.is_empty() => Err("it lists no value".into()),
                None => Ok(()),
            }
        };
        let condition = format!("{} to tell the metric {}", self.target.served, self.target.metric);
        self.wait(condition, self.cx.limit(&APPEAR).time).asking(BETWEEN, ask).await.map(drop)
    }

    /// Waits until the metrics API tells these values of these pods, and 0 of every other in the namespace that is ours.
    async fn shows(&self, scratch: &Scratch, expected: &BTreeMap<String, f64>) -> Result<(), TooLate> {
        let role = if std::ptr::eq(scratch, &raw const *self.own) { SCALED } else { DECOY };
        let ask = || async {
            let text = self.ask(scratch).await;
            if let Some(why) = text.lack() {
                return Err(format!("{why}{}", detail(&text.text)));
            }
            let values = self.target.source.values(&text.text)?;
            if !self.target.source.is_of_pods() {
                let (sum, wanted): (f64, f64) = (values.values().sum(), expected.values().sum());
                return if !values.is_empty() && alike(sum, wanted) {
                    Ok(())
                } else {
                    Err(format!("it tells {sum} in {} series", values.len()))
                };
            }
            let wrong = |(pod, value): (&String, &f64)| {
                let is_ours = pod.contains(role);
                is_ours && !alike(*value, expected.get(pod).copied().unwrap_or_default())
            };
            let lacking = expected.keys().find(|pod| !values.contains_key(*pod));
            match (values.iter().find(|value| wrong(*value)), lacking) {
                (Some((pod, value)), _) => Err(format!("it tells {value} of {pod}")),
                (None, Some(pod)) => Err(format!("it tells nothing of {pod}")),
                (None, None) => Ok(()),
            }
        };
        let condition = format!("{} to tell what the pods say", self.target.served);
        self.wait(condition, self.cx.limit(&SHOW).time).asking(BETWEEN, ask).await.map(drop)
    }

    /// Asks the metrics API of the pods of a namespace.
    async fn ask(&self, scratch: &Scratch) -> Text {
        let made =
            if self.target.source == Source::Keda { self.own.get(&autoscalers(), &self.name) } else { None };
        let (metric, selector) = match made.as_ref().and_then(external_metric) {
            Some((metric, selector)) => (metric, selector),
            None => (self.target.metric.clone(), self.target.selector.clone()),
        };
        let path = self.target.path(scratch.namespace(), &metric, &selector);
        self.cx.session.api().scrape(self.own.scope(), &path, ANSWER).await
    }

    fn wait(&self, condition: String, limit: Duration) -> Wait<'_> {
        Wait {
            condition,
            bin: Bin::Platform,
            limit,
            sink: self.cx.session.api().sink().as_ref(),
            scope: self.own.scope(),
        }
    }

    fn scaler(&self) -> Option<Scaler> {
        self.own.get(&autoscalers(), &self.name).map(|object| Scaler::of(&object, self.target.source))
    }

    fn replicas(&self) -> Option<u64> {
        self.own.get(&Kind::deployment(), &self.name)?.at("/spec/replicas")?.as_u64()
    }

    /// Waits until the Deployment has as many replicas as it must.
    async fn decides(&self, step: &Step) -> Result<(), TooLate> {
        let look = || {
            let (scaler, replicas) = (self.scaler(), self.replicas());
            if replicas == Some(step.replicas)
                && scaler.as_ref().is_some_and(|it| it.wants == Some(step.replicas))
            {
                return Ok(());
            }
            Err(format!("there are {}, and {}", replicas.unwrap_or_default(), Scaler::words(scaler.as_ref())))
        };
        let condition = format!("replicas to become {}", step.replicas);
        // What comes late is told from what never comes.
        let limit = self.cx.limit(&DECIDE).watched();
        self.own.until(condition, Bin::Platform, limit, look).await.map(drop)
    }

    /// Waits until the autoscaler says that it has seen the value, and wants no other number.
    async fn noticed(&self, step: &Step, value: f64) -> Result<(), Stop> {
        #[allow(clippy::cast_precision_loss, reason = "pods are few")]
        let average = value / step.replicas as f64;
        let look = || {
            let (scaler, replicas) = (self.scaler(), self.replicas());
            let seen = scaler.as_ref().and_then(|it| it.average).is_some_and(|seen| alike(seen, average));
            let wants = scaler.as_ref().is_some_and(|it| it.wants == Some(step.replicas) && it.active);
            if seen && wants && replicas == Some(step.replicas) {
                return Ok(());
            }
            Err(format!("there are {}, and {}", replicas.unwrap_or_default(), Scaler::words(scaler.as_ref())))
        };
        let condition =
            format!("the autoscaler to see an average of {average} and to want {}", step.replicas);
        self.own.until(condition, Bin::Platform, self.cx.limit(&SHOW).time, look).await?;
        Ok(())
    }

    /// Has the pods say nothing any more, the carrying one last: while only others said theirs, which is nothing waiting, an
    /// autoscaler would be right to take a pod away.
    async fn fall_silent(&self) -> Result<(), Stop> {
        let carrier = self.carrier();
        for pod in self.pods().iter().filter(|pod| **pod != carrier) {
            self.set(&self.own, pod, None).await?;
        }
        if self.target.source.is_of_pods() {
            let ask = || async {
                let text = self.ask(&self.own).await;
                if let Some(why) = text.lack() {
                    return Err(format!("{why}{}", detail(&text.text)));
                }
                let values = self.target.source.values(&text.text)?;
                match values.keys().find(|pod| pod.contains(SCALED) && **pod != carrier) {
                    Some(pod) => Err(format!("it still tells of {pod}")),
                    None => Ok(()),
                }
            };
            let condition = format!("{} to tell of {carrier} alone", self.target.served);
            self.wait(condition, self.cx.limit(&SHOW).time).asking(BETWEEN, ask).await?;
        }
        self.set(&self.own, &carrier, None).await
    }

    /// Waits until nobody tells the metric, and the autoscaler says so, and then watches what it does.
    async fn lacks(&self) -> Result<(), Stop> {
        let ask = || async {
            let text = self.ask(&self.own).await;
            if is_missing(self.target.source, text.status, &text.text) {
                return Ok(());
            }
            Err(text.lack().unwrap_or_else(|| "it still tells values".into()))
        };
        let condition = format!("{} to tell nothing of the metric", self.target.served);
        self.wait(condition, self.cx.limit(&SHOW).time).asking(BETWEEN, ask).await?;
        self.mark(&Mark::Shown { step: Name::Missing });
        let look = || {
            let scaler = self.scaler();
            if scaler.as_ref().is_some_and(|it| !it.active) {
                Ok(())
            } else {
                Err(Scaler::words(scaler.as_ref()))
            }
        };
        let condition = "the autoscaler to say that it lacks the metric";
        let limit = self.cx.limit(&DECIDE).watched();
        let said = self.own.until(condition, Bin::Platform, limit, look).await;
        let sink = self.cx.session.api().sink().clone();
        aiconform_wait::dwell("pods without a metric are watched", WINDOW, sink.as_ref(), self.own.scope())
            .await;
        said?;
        Ok(())
    }
}
