//! Longest times. None of them makes a verdict by itself: a claim that gets nothing is held against the platform only when
//! pods that came later were bound meanwhile, one after another, and what is given late is given. They say how long that is
//! waited for.

use aiconform_trial::Limit;

/// For what can be allocated.
pub const GIVE: Limit = Limit {
    key: "dra_support.give",
    seconds: 20.0,
    most: 10.0,
    what: "a claim that fits to be given a device and its pod to be bound, and for the scheduler to say no to one that does not",
};
/// For pods that claim nothing, and for what we do to be seen.
pub const ALIVE: Limit = Limit {
    key: "dra_support.alive",
    seconds: 40.0,
    most: 10.0,
    what: "a pod that claims nothing to be bound, and what the run writes to be seen",
};

/// All of them.
pub const LIMITS: &[Limit] = &[GIVE, ALIVE];
