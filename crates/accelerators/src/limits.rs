//! Longest times that checks of accelerators share.

use aiconform_trial::Limit;

/// Until a pod of the probe runs.
pub const START: Limit = Limit {
    key: "accelerators.start",
    seconds: 120.0,
    most: 10.0,
    what: "a pod of the probe to run, whose image may have to be pulled",
};
/// Until the scheduler says what becomes of a pod for which nothing is free.
pub const REFUSED: Limit = Limit {
    key: "accelerators.refused",
    seconds: 30.0,
    most: 10.0,
    what: "the scheduler to say that nothing is free for a pod",
};
/// Until what was given back is given to a pod that waits.
pub const FREED: Limit = Limit {
    key: "accelerators.freed",
    seconds: 30.0,
    most: 10.0,
    what: "a device or share that was given back to be given to a pod that waits",
};
