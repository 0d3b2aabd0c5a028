//! Longest times. Nothing that is called unmet hangs on one: what does not come in time is not judged.

use aiconform_accelerators::limits::{FREED, START};
use aiconform_trial::Limit;

/// Until every free device is given to a pod that asks for one, once the image is there.
pub const GIVEN: Limit = Limit {
    key: "secure_accelerator_access.given",
    seconds: 15.0,
    most: 10.0,
    what: "every free device to be given to a pod that asks for one",
};

/// All of them.
pub const LIMITS: &[Limit] = &[START, GIVEN, FREED];
