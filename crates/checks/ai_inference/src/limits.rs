//! Longest times that a verdict may hang on.

use aiconform_trial::Limit;

/// For a Gateway; what does not come within it leaves everything unknown.
pub const PROGRAMMED: Limit = Limit {
    key: "ai_inference.programmed",
    seconds: 300.0,
    most: 10.0,
    what: "a Gateway to be programmed and to have an address, with a load balancer behind it where one is made",
};
/// For the status of new routes; what does not come within it is unknown.
pub const STATUS: Limit = Limit {
    key: "ai_inference.status",
    seconds: 60.0,
    most: 10.0,
    what: "a controller to write the status of new routes",
};
/// For accepted routes; those that are answered with 404 or 500 afterwards are not served.
pub const SERVE: Limit = Limit {
    key: "ai_inference.serve",
    seconds: 60.0,
    most: 10.0,
    what: "a gateway to serve routes that it has accepted",
};
/// For a route of a Service that there is not; another answer than 500 is wrong afterwards.
pub const REFUSAL: Limit = Limit {
    key: "ai_inference.refusal",
    seconds: 10.0,
    most: 10.0,
    what: "a gateway to answer requests of a route without a backend with 500",
};
/// For changed weights; those that are not in force afterwards have not taken effect.
pub const CHANGE: Limit =
    Limit { key: "ai_inference.change", seconds: 120.0, most: 10.0, what: "changed weights to take effect" };
/// For the status of the changed route; one of an earlier generation is stale afterwards.
pub const FRESH: Limit = Limit {
    key: "ai_inference.fresh_status",
    seconds: 10.0,
    most: 10.0,
    what: "the status of a changed route to be of the change",
};

/// For a batch; where it is not over by then, too few answers leave shares unknown.
pub const BATCH: Limit = Limit {
    key: "ai_inference.batch",
    seconds: 120.0,
    most: 10.0,
    what: "the requests whose shares are measured to be sent through a gateway, and answered",
};

/// All of them.
pub const LIMITS: &[Limit] = &[PROGRAMMED, STATUS, SERVE, REFUSAL, CHANGE, FRESH, BATCH];
