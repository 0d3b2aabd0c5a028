//! A part of all tries at a time: the gravest always, the others by turns.

use super::plan::Try;

/// Tries of one turn.
pub struct Turn {
    /// The gravest, and the others whose turn it is, in the order in which they were given.
    pub tries: Vec<Try>,
    /// Names of those that are left to other turns.
    pub left: Vec<String>,
}

/// The tries of a turn: all of the gravest, and so many of the others. Each turn begins where the one before it ended, so that
/// everything has been tried after as many turns as it takes. How many is a number and no time: what is tried must not depend
/// on how fast a machine is.
pub fn turn(tries: Vec<Try>, turn: usize, others: usize) -> Turn {
    let rest = tries.iter().filter(|tried| !tried.is_gravest()).count();
    let first = turn.wrapping_mul(others).checked_rem(rest).unwrap_or_default();
    let (mut found, mut place) = (Turn { tries: Vec::new(), left: Vec::new() }, 0);
    for tried in tries {
        let is_due = tried.is_gravest() || {
            // Its place as counted from the first of this turn, round the end.
            let behind = (place + rest - first) % rest;
            place += 1;
            behind < others
        };
        if is_due {
            found.tries.push(tried);
        } else {
            found.left.push(tried.title());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::plan::tries;
    use super::*;
    use aiconform_checks::{CHECKS, Check, Fault};
    use aiconform_model::catalogue::{self, Level};
    use std::collections::BTreeSet;

    fn quick() -> Vec<(&'static Check, Fault)> {
        let of = |check: &&'static Check| {
            let check = *check;
            check.read_faults().unwrap().into_iter().map(move |fault| (check, fault))
        };
        CHECKS.iter().flat_map(of).filter(|(_, fault)| !fault.slow).collect()
    }

    #[test]
    fn each_must_has_one_gravest_fault_which_is_quick() {
        let is_must =
            |check: &&&Check| catalogue::requirement(check.id).unwrap().level("1.37") == Some(Level::Must);
        assert_eq!(CHECKS.iter().filter(is_must).count(), 8);
        for check in CHECKS.iter().filter(is_must) {
            let faults = check.read_faults().unwrap();
            let gravest: Vec<&Fault> = faults.iter().filter(|fault| fault.gravest).collect();
            assert_eq!(gravest.len(), 1, "{}", check.id);
            assert!(!gravest[0].slow && gravest[0].verdict == "failed", "{}", check.id);
        }
    }

    #[test]
    fn the_gravest_are_always_tried_and_the_others_all_in_a_few_turns() {
        let all = tries(quick()).unwrap().len();
        let gravest = tries(quick()).unwrap().iter().filter(|tried| tried.is_gravest()).count();
        let others = 16;
        let turns = (all - gravest).div_ceil(others);
        let mut seen = BTreeSet::new();
        // From wherever one begins.
        for number in 7..7 + turns {
            let found = turn(tries(quick()).unwrap(), number, others);
            assert_eq!(found.tries.len(), gravest + others);
            assert_eq!(found.tries.len() + found.left.len(), all);
            assert_eq!(found.tries.iter().filter(|tried| tried.is_gravest()).count(), gravest);
            seen.extend(found.tries.iter().map(|tried| tried.number));
        }
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn more_than_there_are_is_all_of_them() {
        let all = tries(quick()).unwrap().len();
        let found = turn(tries(quick()).unwrap(), 3, 10_000);
        assert_eq!((found.tries.len(), found.left.len()), (all, 0));
    }
}
