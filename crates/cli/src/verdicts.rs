//! Output of `run` and `judge` on a judged run, and how they end.

use crate::exit::Exit;
use aiconform_engine::Judged;
use aiconform_verdict::Verdict;

/// The exit of a judged run, by the selected MUSTs only; precedence 1, 4, 0.
pub fn exit(judged: &Judged) -> Exit {
    exit_of(&judged.musts)
}

fn exit_of(musts: &[Verdict]) -> Exit {
    if musts.contains(&Verdict::Failed) {
        Exit::Failed
    } else if musts.iter().any(|verdict| matches!(verdict, Verdict::Inconclusive | Verdict::NotRun)) {
        Exit::Inconclusive
    } else {
        Exit::Success
    }
}

/// Prints the verdicts to stdout, readable without colour.
pub fn print(judged: &Judged) {
    anstream::print!("{}", aiconform_report::terminal(&judged.report));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_weighs_more_than_what_could_not_be_told_and_that_more_than_a_pass() {
        use Verdict::{Failed, Inconclusive, NotApplicable, NotRun, Passed};
        for (musts, expected) in [
            (vec![Passed, Inconclusive, Failed], Exit::Failed),
            (vec![Passed, Inconclusive], Exit::Inconclusive),
            (vec![NotRun, Passed], Exit::Inconclusive),
            (vec![NotApplicable, Passed], Exit::Success),
            (vec![], Exit::Success),
        ] {
            assert_eq!(exit_of(&musts), expected, "{musts:?}");
        }
    }
}
