//! One way of giving out devices: its namespaces, its pods, and what is asked of them when.

use crate::adapters::{ALL, FIRST, VOID, has_claims};
use crate::limits::GIVEN;
use crate::marks::{ASKING, ASKS, HOLDER, MAIN, MAKER, MAKES, Mark, NULL, PAIR, PLAIN, SIBLINGS};
use aiconform_accelerators::limits::{FREED, START};
use aiconform_accelerators::{Container, Offer, Probe, ProbePod, Pulls, Standing, explained};
use aiconform_check::cx::{Cx, Stop};
use aiconform_cluster::Scratch;
use aiconform_model::probe::{Access, Look, LookFor};
use aiconform_model::{Bin, Kind, Object, Scope};
use aiconform_trial::Limit;
use aiconform_trial::kinds::resource_claim;
use aiconform_wait::TooLate;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all, try_join_all};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most devices of a node that are taken at once.
const MOST: u64 = 32;
/// Longest time until what a pod needs of its namespace is there.
const SETTLE: Duration = Duration::from_secs(15);

/// One subject at work.
pub struct Stage<'a> {
    pub(super) cx: &'a Cx,
    pub(super) scope: Scope,
    pub(super) offer: &'a Offer,
    pub(super) scratch: Arc<Scratch>,
    /// Another namespace, which lets pods in that may make device nodes.
    pub(super) other: Arc<Scratch>,
    /// The node on which everything happens.
    pub node: String,
    free: u64,
    /// Why no pod can be made that makes device nodes.
    pub without_maker: Option<String>,
}

/// Pods that are there.
#[derive(Default)]
struct Cast {
    /// Each asks for one device.
    holders: Vec<Probe>,
    /// They ask for none.
    strangers: Vec<Probe>,
}

impl<'a> Stage<'a> {
    /// Chooses the node and makes the namespaces.
    ///
    /// # Errors
    /// When the cluster refuses them.
    pub async fn new(cx: &'a Cx, number: usize, offer: &'a Offer, scope: Scope) -> Result<Stage<'a>, Stop> {
        let Some((node, count)) = offer.best() else {
            return Err(Stop::Hindered("no node takes test pods".into()));
        };
        let node = node.to_owned();
        let pods = [Kind::pod()];
        let scratch = cx.session.scratch(&scope, &format!("secure-{number}"), &pods).await?;
        let other = cx.session.scratch_at(&scope, &format!("other-{number}"), &pods, "baseline").await?;
        let api = cx.session.api();
        let selector = format!("metadata.name={node}");
        cx.session.mirror().watch(api, &Kind::node(), "", ("fieldSelector", &selector)).await?;
        if has_claims(offer.mode) {
            let mirror = cx.session.mirror();
            mirror.watch(api, &resource_claim(), scratch.namespace(), ("labelSelector", "")).await?;
        }
        let mut stage =
            Stage { cx, scope, offer, scratch, other, node, free: count.free, without_maker: None };
        stage.without_maker = stage.refuses_maker().await;
        Ok(stage)
    }

    /// Why a pod that makes device nodes is not let in.
    async fn refuses_maker(&self) -> Option<String> {
        let nodes = [self.node.clone()];
        let pod = self.maker(&nodes);
        let object = pod.lone(&self.cx.profile, &self.other.named(MAKES));
        self.other.settle(&Kind::pod(), object, SETTLE).await.err().map(|error| error.to_string())
    }

    pub(super) fn mark(&self, mark: &Mark) {
        self.cx.mark(&self.scope, mark);
    }

    pub(super) fn tell(&self, words: &str) {
        self.cx.progress.tell(&self.scope, words);
    }

    pub(super) fn pod<'b>(
        &self,
        role: &'b str,
        nodes: &'b [String],
        containers: Vec<Container<'b>>,
    ) -> ProbePod<'b> {
        ProbePod { role, trial: "access", nodes, containers, restarts: true }
    }

    fn maker<'b>(&self, nodes: &'b [String]) -> ProbePod<'b> {
        let container = Container { name: MAKER, makes_nodes: true, ..Container::without() };
        self.pod(MAKES, nodes, vec![container])
    }

    /// A pod that asks for devices in one of its containers, between two that do not.
    fn holder<'b>(&'b self, role: &'b str, nodes: &'b [String], count: u32) -> ProbePod<'b> {
        let first = Container { name: SIBLINGS[0], is_first: true, ..Container::without() };
        let beside = Container { name: SIBLINGS[1], ..Container::without() };
        self.pod(role, nodes, vec![first, Container::with(&self.offer.way, count), beside])
    }

    /// Everything, in order; then every device is let go, because others wait for them.
    ///
    /// # Errors
    /// When something cannot go on; what was seen until then is judged.
    pub async fn act(&self) -> Result<(), Stop> {
        let result = self.acts().await;
        self.mark(&Mark::End {});
        result.and(self.let_go().await)
    }

    async fn let_go(&self) -> Result<(), Stop> {
        let pods = self.scratch.all(&Kind::pod(), |pod| Some(pod.name().to_owned()));
        self.mark(&Mark::Remove { names: pods.clone(), why: "the end".into() });
        let kind = Kind::pod();
        try_join_all(pods.iter().map(|pod| self.scratch.delete(&kind, pod))).await?;
        let gone = || {
            let left = self
                .scratch
                .all(&Kind::pod(), |pod| pods.contains(&pod.name().to_owned()).then(|| pod.called()));
            // A device is free when its claim is gone.
            let held = |claim: &Object| claim.at("/status/allocation").map(|_| claim.called());
            let held = self.scratch.all(&resource_claim(), held);
            match left.first().or(held.first()) {
                Some(left) => Err(format!("{left} is still there")),
                None => Ok(()),
            }
        };
        self.scratch
            .until("every device to be let go", Bin::Platform, self.cx.limit(&START).time, gone)
            .await?;
        Ok(())
    }

    async fn acts(&self) -> Result<(), Stop> {
        if self.free == 0 {
            return Err(Stop::Hindered(format!(
                "no device is free: those of node {} and of all others are in use",
                self.node
            )));
        }
        let mut cast = self.crowd().await?;
        let running = self.running(&cast);
        self.look_and_try(&cast, &running).await?;
        self.beside().await?;
        if let Some(first) = running.first() {
            self.restart(&cast.holders[*first]).await?;
        }
        self.release(&mut cast, &running).await?;
        if running.len() >= 2 {
            self.pair(&cast).await?;
        }
        Ok(())
    }

    /// One claim more than there are free devices, and beside them pods that ask for none.
    async fn crowd(&self) -> Result<Cast, Stop> {
        let nodes = [self.node.clone()];
        let wanted = self.free.min(MOST) + 1;
        self.mark(&Mark::Crowd { node: self.node.clone(), free: self.free, asked: wanted });
        self.tell(&format!("{wanted} pods want one of {} free devices of {}", self.free, self.node));
        let environment = |name, environment| Container { name, environment, ..Container::without() };
        let asking = ASKING.into_iter().zip([ALL, FIRST, VOID]);
        let asking = asking.map(|(name, variables)| environment(name, variables)).collect();
        let strangers = [self.pod(PLAIN, &nodes, vec![Container::without()]), self.pod(ASKS, &nodes, asking)];
        let maker = self.maker(&nodes);
        let mut made: Vec<BoxFuture<'_, Result<Probe, Stop>>> = Vec::new();
        for pod in &strangers {
            made.push(Probe::create(self.cx, self.scratch.clone(), pod).boxed());
        }
        if self.without_maker.is_none() {
            made.push(Probe::create(self.cx, self.other.clone(), &maker).boxed());
        }
        let roles: Vec<String> = (0..wanted).map(|number| format!("{HOLDER}-{number}")).collect();
        let holders: Vec<ProbePod<'_>> = roles.iter().map(|role| self.holder(role, &nodes, 1)).collect();
        let holders = holders.iter().map(|pod| Probe::create(self.cx, self.scratch.clone(), pod).boxed());
        let (holders, strangers) = futures::try_join!(try_join_all(holders), try_join_all(made))?;
        let cast = Cast { holders, strangers };
        self.borrow().await?;
        let some = |runs, comes| runs >= 1 || comes == 0;
        self.stand(&cast, &START, "pods without a request to run, and one with a device", some).await?;
        // The image is there now. A pod that still does not come keeps nobody from going on: that it has no device is what
        // may be right. And a claim that was told to wait may be given a device a moment later.
        let free = usize::try_from(self.free.min(MOST)).unwrap_or(usize::MAX);
        let all = |runs, comes| runs >= free && comes == 0;
        if let Err(late) = self.stand(&cast, &GIVEN, "every free device to be given", all).await
            && self.running(&cast).is_empty()
        {
            return Err(late.into());
        }
        Ok(cast)
    }

    /// Waits until all pods without a request run, and `enough` is content with how many holders run and how many are
    /// still on their way.
    async fn stand(
        &self,
        cast: &Cast,
        limit: &Limit,
        condition: &str,
        enough: impl Fn(usize, usize) -> bool + Send + Sync,
    ) -> Result<(), TooLate> {
        let look = || {
            if let Some(pod) = cast.strangers.iter().find(|pod| pod.stands() != Standing::Runs) {
                return Err(format!("{}: {}", pod.name, pod.stands()));
            }
            let stands: Vec<Standing> = cast.holders.iter().map(Probe::stands).collect();
            let count = |wanted: fn(&Standing) -> bool| stands.iter().filter(|stands| wanted(stands)).count();
            let runs = count(|stands| *stands == Standing::Runs);
            let comes = count(|stands| matches!(stands, Standing::Comes(_)));
            let waits = cast.holders.iter().zip(&stands).find(|(_, stands)| **stands != Standing::Runs);
            let said = waits.map(|(pod, stands)| format!("{}: {stands}", pod.name)).unwrap_or_default();
            if enough(runs, comes) { Ok(()) } else { Err(format!("{runs} run; {said}")) }
        };
        let mut pulls = Pulls::default();
        let hopeless = || pulls.refused(&self.scratch.all(&Kind::pod(), |pod| Some(pod.clone())));
        match self
            .scratch
            .until_unless(condition, Bin::Platform, self.cx.limit(limit).time, look, hopeless)
            .await
        {
            Ok(_) => Ok(()),
            Err(late) => {
                let all = cast.strangers.iter().chain(&cast.holders);
                // That the scheduler keeps one waiting is what may be right.
                let missing =
                    all.filter(|pod| matches!(pod.stands(), Standing::Comes(_) | Standing::Failed(_)));
                let missing: Vec<String> = missing.map(|pod| pod.name.clone()).collect();
                Err(explained(&self.scratch, &missing, late).await)
            }
        }
    }

    /// Places of the holders that run.
    fn running(&self, cast: &Cast) -> Vec<usize> {
        let all = cast.holders.iter().enumerate();
        all.filter(|(_, pod)| pod.stands() == Standing::Runs).map(|(place, _)| place).collect()
    }

    /// Asks the probes in every container of these pods, all at once.
    async fn ask(&self, pods: &[&Probe], wanted: &LookFor) -> Result<Vec<Look>, Stop> {
        let body = serde_json::to_value(wanted).unwrap_or_default();
        let asked = pods.iter().flat_map(|pod| pod.containers().map(move |name| (pod, name)));
        // One that gives no answer does not take the others with it; the judge sees that it gave none.
        let answers = join_all(asked.map(|(pod, name)| look(pod, name, &body))).await;
        let looks = answers.into_iter().flatten().filter_map(|answer| serde_json::from_value(answer).ok());
        Ok(looks.collect())
    }

    /// First what everyone sees; then everyone tries what was seen of the holders' devices.
    async fn look_and_try(&self, cast: &Cast, running: &[usize]) -> Result<(), Stop> {
        self.mark(&Mark::Look {});
        let holders: Vec<&Probe> = running.iter().map(|place| &cast.holders[*place]).collect();
        let strangers: Vec<&Probe> = cast.strangers.iter().collect();
        let seen = self.ask(&holders, &LookFor::default()).await?;
        self.ask(&strangers, &LookFor::default()).await?;
        let wanted = self.wanted(&seen);
        self.mark(&Mark::Try { paths: wanted.paths.clone(), numbers: wanted.numbers.clone() });
        self.tell(&format!(
            "{} pods and their neighbours try {} device nodes",
            holders.len() + strangers.len(),
            wanted.paths.len()
        ));
        let everyone: Vec<&Probe> = holders.into_iter().chain(strangers).collect();
        self.ask(&everyone, &wanted).await?;
        Ok(())
    }

    /// Things to try of those that were seen: every node that somebody opened, by path and by number.
    fn wanted(&self, seen: &[Look]) -> LookFor {
        let devices = seen.iter().flat_map(|look| &look.devices);
        let reached = devices.filter(|seen| seen.opening.access() == Access::Reached);
        let (mut paths, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for device in reached {
            paths.insert(device.path.clone());
            numbers.insert(device.number);
        }
        paths.extend(seen.iter().flat_map(|look| look.sockets.iter().cloned()));
        // One that everyone may open: a made node of it shows that a made node can be opened.
        numbers.insert(NULL);
        LookFor {
            paths: paths.into_iter().collect(),
            numbers: numbers.into_iter().collect(),
            ..LookFor::default()
        }
    }

    /// A holder's containers end and are started again.
    async fn restart(&self, holder: &Probe) -> Result<(), Stop> {
        self.mark(&Mark::Restart { pod: holder.name.clone() });
        self.tell("containers are started again");
        holder.restart(&[MAIN, SIBLINGS[1]]).await?;
        self.mark(&Mark::LookAgain { pod: holder.name.clone() });
        self.ask(&[holder], &LookFor::default()).await?;
        Ok(())
    }

    /// A device is let go, and goes to the claim that waited.
    async fn release(&self, cast: &mut Cast, running: &[usize]) -> Result<(), Stop> {
        let Some(last) = running.last() else { return Ok(()) };
        let gone = &cast.holders[*last];
        self.mark(&Mark::Remove { names: vec![gone.name.clone()], why: "release".into() });
        gone.delete().await?;
        let others: Vec<&Probe> = cast
            .holders
            .iter()
            .enumerate()
            .filter(|(place, _)| !running.contains(place))
            .map(|(_, pod)| pod)
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let one_runs = || {
            let next = others.iter().find(|pod| pod.stands() == Standing::Runs);
            next.map(|pod| pod.name.clone()).ok_or_else(|| {
                others
                    .iter()
                    .map(|pod| format!("{}: {}", pod.name, pod.stands()))
                    .collect::<Vec<_>>()
                    .join("; ")
            })
        };
        let next = self
            .scratch
            .until(
                "a claim that waited to be given what was let go",
                Bin::Platform,
                self.cx.limit(&FREED).time,
                one_runs,
            )
            .await;
        let Ok(next) = next else { return Ok(()) };
        self.mark(&Mark::LookReleased { pod: next.value });
        let holding: Vec<&Probe> = cast
            .holders
            .iter()
            .filter(|pod| pod.name != gone.name && pod.stands() == Standing::Runs)
            .collect();
        self.ask(&holding, &LookFor::default()).await?;
        Ok(())
    }

    /// One pod that asks for two devices, once all others have let go.
    async fn pair(&self, cast: &Cast) -> Result<(), Stop> {
        let names = cast.holders.iter().map(|pod| pod.name.clone()).collect();
        self.mark(&Mark::Remove { names, why: "for two at once".into() });
        try_join_all(cast.holders.iter().map(Probe::delete)).await?;
        let nodes = [self.node.clone()];
        self.mark(&Mark::Pair { count: 2 });
        self.tell("one pod wants two devices");
        let pair = Probe::start(self.cx, self.scratch.clone(), &self.holder(PAIR, &nodes, 2)).await?;
        self.mark(&Mark::LookPair { pod: pair.name.clone() });
        self.ask(&[&pair], &LookFor::default()).await?;
        Ok(())
    }
}

/// Asks the probe in a container what it sees; once more where no answer comes: a connection may be lost on a busy machine,
/// and to look again changes nothing.
async fn look(pod: &Probe, container: &str, body: &Value) -> Result<Value, Stop> {
    match pod.ask(container, "/look", body).await {
        Err(_) => pod.ask(container, "/look", body).await,
        answer => answer,
    }
}
