//! `ID`: what the requirement asks, what is done to find it out, and why so.

mod acts;
mod judge;
mod limits;
mod marks;
#[cfg(test)]
mod tests;

use aiconform_check::cx::{Check, Detection, Preview, Reach};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing};
use futures::FutureExt;
use judge::History;
use marks::ID;
use std::time::Duration;

const WORKS: Standing =
    Standing::Must { basis: Basis::Requirement, cites: "the requirement: \"its words, quoted\"" };

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of("test_works", "what the test itself stands on is there", Standing::Control, judge::test_works),
    Claim::of("thing_works", "the thing that is asked for works", WORKS, judge::thing_works),
];

static RULES: Rules<History> =
    Rules { ..Rules::of(ID, CLAIMS, History::read, judge::doubt, "install what gives the thing") };

/// The check.
pub const CHECK: Check = Check {
    id: ID,
    test_name: "TEST",
    rules: &RULES,
    needs: &[],
    wants: &[],
    reach: Reach::Namespaces,
    creates: "nothing",
    adapters: &[],
    quick: &[],
    files: &[],
    reads: None,
    parts: &[],
    trials: &[],
    limit: Duration::from_secs(300),
    limits: limits::LIMITS,
    consents: &[],
    explain: include_str!("../explain.md"),
    faults: include_str!("../faults.toml"),
    detect: |_, _| async { vec![("thing".into(), Detection::Absent(acts::ABSENT.into()))] }.boxed(),
    preview: |_, _, _| async { Preview::default() }.boxed(),
    run: |cx, _| acts::run(cx).boxed(),
};
