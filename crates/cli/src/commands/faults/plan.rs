//! Tries, each on its lab: faults of one breakage are one try, and tries that need the same lab stand in one
//! queue.

use crate::commands::run::fake_nodes;
use crate::select;
use aiconform_checks::{Check, Fault, Level, Profile};
use aiconform_lab::{Breakage, Part};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Faults of one breakage that are tried in one run: several checks may say what it does.
pub type Group = Vec<(&'static Check, Fault)>;

/// Flavour of a lab: what it has beside Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flavour {
    /// Its parts, and what these stand on.
    pub parts: BTreeSet<Part>,
    /// Its fake nodes.
    pub fake_nodes: u32,
}

impl Flavour {
    fn of(checks: &[&'static Check], adapters: &[String], trials: &[String], part: Option<Part>) -> Flavour {
        let mut parts = select::parts(checks, adapters, Level::Must);
        let fake_nodes = fake_nodes(Level::Must, trials);
        parts.extend(part);
        parts.extend((fake_nodes > 0).then(|| Part::of("kwok")));
        parts.extend(parts.clone().into_iter().filter_map(Part::stands_on));
        Flavour { parts, fake_nodes }
    }

    /// Its parts in words.
    pub fn name(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name()).collect();
        if parts.is_empty() { "Kubernetes alone".into() } else { parts.join(", ") }
    }
}

/// Run that is made on a lab.
pub struct Made {
    /// Checks.
    pub checks: Vec<&'static Check>,
    /// Adapters that are tried.
    pub adapters: Vec<String>,
    /// Trials beyond what a MUST needs.
    pub trials: Vec<String>,
    /// Profile.
    pub profile: Profile,
}

impl Made {
    /// Run on a healthy lab to be compared with these tries: what they run, and nothing else.
    pub fn twin(tries: &[Try]) -> Made {
        let faults = || tries.iter().flat_map(|tried| &tried.group);
        let all = |list: fn(&Fault) -> &Vec<String>| -> Vec<String> {
            let all: BTreeSet<&String> = faults().flat_map(|(_, fault)| list(fault)).collect();
            all.into_iter().cloned().collect()
        };
        let mut checks: Vec<&'static Check> = Vec::new();
        for (check, _) in faults() {
            if !checks.iter().any(|other| other.id == check.id) {
                checks.push(check);
            }
        }
        let (adapters, trials) = (all(|fault| &fault.adapters), all(|fault| &fault.trials));
        Made { checks, adapters, trials, profile: Profile::default() }
    }
}

/// One breakage and the run that must find it.
pub struct Try {
    /// Number of it, in the order of the faults.
    pub number: usize,
    /// Faults that it shows.
    pub group: Group,
    /// Breakage; none where something is wrong with the healthy lab.
    pub breakage: Option<Breakage>,
    /// Run that is made.
    pub made: Made,
    /// Lab that it needs.
    pub flavour: Flavour,
}

impl Try {
    fn new(number: usize, group: Group) -> anyhow::Result<Try> {
        let (check, fault) = group.first().ok_or_else(|| anyhow::anyhow!("nothing is to be tried"))?;
        let breakage = match fault.breakage.as_str() {
            "none" => None,
            name => Some(
                Breakage::named(name)
                    .ok_or_else(|| anyhow::anyhow!("{}: the lab knows no breakage {name}", check.id))?,
            ),
        };
        let made = Made {
            checks: group.iter().map(|(check, _)| *check).collect(),
            adapters: group.iter().flat_map(|(_, fault)| fault.adapters.clone()).collect(),
            trials: fault.trials.clone(),
            profile: Profile::parse(&fault.profile, "faults.toml")?,
        };
        let part = breakage.and_then(Breakage::part);
        let flavour = Flavour::of(&made.checks, &made.adapters, &made.trials, part);
        Ok(Try { number, breakage, made, flavour, group })
    }

    /// Name of its breakage.
    pub fn name(&self) -> &str {
        self.group.first().map_or("", |(_, fault)| &fault.breakage)
    }

    /// Its breakage, and the requirements that must find it.
    pub fn title(&self) -> String {
        let checks: Vec<&str> = self.group.iter().map(|(check, _)| check.id).collect();
        format!("{} ({})", self.name(), checks.join(", "))
    }

    /// Tells whether it is the gravest of a requirement.
    pub fn is_gravest(&self) -> bool {
        self.group.iter().any(|(_, fault)| fault.gravest)
    }

    /// Tells whether it needs a lab that was started broken.
    pub fn is_of_birth(&self) -> bool {
        self.breakage.is_some_and(Breakage::is_of_birth)
    }
}

/// The tries of these faults.
pub fn tries(chosen: Group) -> anyhow::Result<Vec<Try>> {
    grouped(chosen).into_iter().enumerate().map(|(number, group)| Try::new(number, group)).collect()
}

/// Tells whether it needs a lab with a part whose API other parts serve elsewhere.
fn is_apart(fault: &Fault) -> bool {
    fault.adapters.iter().filter_map(|id| Part::named(id)).any(Part::is_apart)
}

/// Puts together what can be tried in one run: the same breakage in the same way, and each check once.
fn grouped(chosen: Group) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (check, fault) in chosen {
        let fits = |group: &&mut Group| {
            group.iter().all(|(other, there)| {
                let alike = there.breakage == fault.breakage
                    && is_apart(there) == is_apart(&fault)
                    && (&there.trials, &there.profile) == (&fault.trials, &fault.profile);
                alike && other.id != check.id
            })
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push((check, fault)),
            None => groups.push(vec![(check, fault)]),
        }
    }
    groups
}

/// A second lab of a flavour, with its two twins, is worth it for so many tries.
const WORTH_A_LAB: usize = 4;

/// Tries that wait for a lab, by its flavour.
pub struct Queue {
    waiting: BTreeMap<Flavour, VecDeque<Try>>,
    /// Number of labs that are up, by flavour.
    labs: BTreeMap<Flavour, usize>,
}

impl Queue {
    /// Queue of these tries; those that need a lab from birth come last.
    pub fn new(mut tries: Vec<Try>) -> Queue {
        tries.sort_by_key(|tried| (tried.is_of_birth(), tried.number));
        let mut waiting: BTreeMap<Flavour, VecDeque<Try>> = BTreeMap::new();
        for tried in tries {
            waiting.entry(tried.flavour.clone()).or_default().push_back(tried);
        }
        Queue { waiting, labs: BTreeMap::new() }
    }

    /// Flavours that anything waits for, and the twins of their labs.
    pub fn twins(&mut self) -> BTreeMap<Flavour, Made> {
        let twin = |(flavour, tries): (&Flavour, &mut VecDeque<Try>)| {
            (flavour.clone(), Made::twin(tries.make_contiguous()))
        };
        self.waiting.iter_mut().map(twin).collect()
    }

    /// Flavour of which a lab is to be started next: the longest queue that nobody is at, or one that is long enough for
    /// another lab.
    pub fn enter(&mut self) -> Option<Flavour> {
        let left = |flavour: &Flavour, tries: &VecDeque<Try>| {
            let labs = self.labs.get(flavour).copied().unwrap_or_default();
            (labs == 0 && !tries.is_empty() || tries.len() >= WORTH_A_LAB * labs.max(1))
                .then_some((std::cmp::Reverse(labs), tries.len()))
        };
        let next = self
            .waiting
            .iter()
            .filter_map(|(flavour, tries)| Some((left(flavour, tries)?, flavour)))
            .max_by_key(|(left, _)| *left)
            .map(|(_, flavour)| flavour.clone())?;
        *self.labs.entry(next.clone()).or_default() += 1;
        Some(next)
    }

    /// Says that a lab of this flavour has ended.
    pub fn leave(&mut self, flavour: &Flavour) {
        if let Some(labs) = self.labs.get_mut(flavour) {
            *labs = labs.saturating_sub(1);
        }
    }

    /// Tells whether anything of this flavour can be tried on a lab that stands.
    pub fn stands(&self, flavour: &Flavour) -> bool {
        self.waiting.get(flavour).is_some_and(|tries| tries.iter().any(|tried| !tried.is_of_birth()))
    }

    /// The next try of this flavour, of those that need a lab from birth or of the others.
    pub fn take(&mut self, flavour: &Flavour, of_birth: bool) -> Option<Try> {
        let tries = self.waiting.get_mut(flavour)?;
        let place = tries.iter().position(|tried| tried.is_of_birth() == of_birth)?;
        tries.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiconform_checks::CHECKS;

    fn all() -> Group {
        let of = |check: &&'static Check| {
            let check = *check;
            check.read_faults().unwrap().into_iter().map(move |fault| (check, fault))
        };
        CHECKS.iter().flat_map(of).collect()
    }

    #[test]
    fn faults_of_one_breakage_share_a_lab_and_no_check_is_tried_twice_on_it() {
        let all = all();
        let groups = grouped(all.clone());
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), all.len());
        assert!(groups.len() < all.len(), "no breakage is known to two checks");
        for group in groups {
            let ids: BTreeSet<&str> = group.iter().map(|(check, _)| check.id).collect();
            assert_eq!(ids.len(), group.len());
            assert!(group.iter().all(|(_, fault)| fault.breakage == group[0].1.breakage));
        }
    }

    #[test]
    fn every_breakage_of_a_fault_is_known_and_its_lab_has_what_it_is_about() {
        for tried in tries(all()).unwrap() {
            let part = tried.breakage.and_then(Breakage::part);
            assert!(part.is_none_or(|part| tried.flavour.parts.contains(&part)), "{}", tried.name());
            assert_eq!(tried.breakage.is_none(), tried.name() == "none");
        }
    }

    #[test]
    fn no_lab_has_two_parts_that_serve_the_same() {
        let apart = |flavour: &Flavour| flavour.parts.iter().any(|part| part.is_apart());
        for tried in tries(all()).unwrap() {
            let keda = tried.group.iter().any(|(_, fault)| is_apart(fault));
            assert_eq!(apart(&tried.flavour), keda || tried.name() == "keda-stopped", "{}", tried.name());
        }
    }

    #[test]
    fn few_labs_hold_all_tries_and_every_try_is_taken_once() {
        let tries = tries(all()).unwrap();
        let count = tries.len();
        let mut queue = Queue::new(tries);
        let flavours = queue.twins().len();
        assert!(flavours * 4 < count, "{flavours} flavours of {count} tries");
        let mut taken = BTreeSet::new();
        while let Some(flavour) = queue.enter() {
            for of_birth in [false, true] {
                while let Some(tried) = queue.take(&flavour, of_birth) {
                    assert_eq!(tried.is_of_birth(), of_birth);
                    assert!(taken.insert(tried.number));
                }
            }
            queue.leave(&flavour);
        }
        assert_eq!(taken.len(), count);
    }

    #[test]
    fn a_second_lab_is_started_where_the_queue_is_long() {
        let mut queue = Queue::new(tries(all()).unwrap());
        let first = queue.enter().unwrap();
        let second = queue.enter().unwrap();
        assert_ne!(first, second, "queues that nobody is at come first");
        while queue.take(&first, false).is_some() || queue.take(&first, true).is_some() {}
        let mut others = vec![second];
        while let Some(other) = queue.enter() {
            assert_ne!(other, first, "nothing waits there");
            others.push(other);
        }
        let different: BTreeSet<&Flavour> = others.iter().collect();
        assert!(different.len() < others.len(), "no flavour has two labs");
    }
}
