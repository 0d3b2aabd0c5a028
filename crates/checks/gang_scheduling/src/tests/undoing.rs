//! What goes when our acts have ended goes by our own undoing, and nobody is named for it.

use super::super::RULES;
use super::recorded::*;
use aiconform_trial::testing;

#[test]
fn undoing_names_nobody() {
    testing::undoing_names_nobody(&RULES, &Recorded::of(MET).0);
}
