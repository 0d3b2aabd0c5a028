//! From evidence to outcomes: pure functions.
//!
//! A share is called wrong only if the weights would bring it about with a chance below one in a million; whoever takes
//! turns sways less than that. A gateway that chooses a backend for each connection looks right over many connections;
//! over three it cannot come near 80 and 20. An answer counts only if it says the number of its own request, and only if
//! the backend saw as many.

mod control;
mod guard;
mod headers;
mod history;
mod measures;
mod picture;
mod shares;
mod status;

pub use self::control::{backends_answer_directly, class_is_accepted, requests_pass_the_gateway};
pub use self::headers::headers_choose_the_backend;
pub use self::history::History;
pub use self::shares::{change_of_weights_takes_effect, weight_zero_gets_nothing, weights_split_the_traffic};
pub use self::status::{gateway_is_programmed, missing_backend_is_told, status_is_of_the_latest};

use crate::marks::ID;
use aiconform_trial::unread::{unread, unread_later};
use aiconform_trial::{Claim, Rules};
use aiconform_verdict::{Basis, Standing};

/// Id of the claim that the picture stands for.
const SPLITS: &str = "weights_split_the_traffic";

const IMPLEMENTATION: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"Support the Kubernetes Gateway API with an implementation for advanced traffic management for inference services\"",
};
const WEIGHTS: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"capabilities like weighted traffic splitting\"",
};
const ZERO: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"capabilities like weighted traffic splitting\"; we take it to mean the weights of the Gateway API, in which a backend of weight 0 is sent nothing",
};
const CHANGE: Standing = Standing::Must {
    basis: Basis::Interpretation,
    cites: "the requirement: \"advanced traffic management for inference services, which enables capabilities like weighted traffic splitting\"; we take it to mean weights that can be changed while traffic flows, as a gradual roll-out does",
};
const HEADERS: Standing = Standing::Must {
    basis: Basis::Requirement,
    cites: "the requirement: \"header-based routing (for OpenAI protocol headers)\"",
};

/// The claims, controls first.
static CLAIMS: &[Claim<History>] = &[
    Claim::of(
        "class_is_accepted",
        "a controller implements the GatewayClass",
        Standing::InForce,
        class_is_accepted,
    ),
    Claim::of(
        "backends_answer_directly",
        "without a gateway every backend answers, and says who it is",
        Standing::Control,
        backends_answer_directly,
    ),
    Claim::of(
        "requests_pass_the_gateway",
        "what backends answered came through a proxy, and backends and sender count the same",
        Standing::Control,
        requests_pass_the_gateway,
    ),
    Claim::of(
        "gateway_is_programmed",
        "a Gateway gets an address, and its routes are accepted",
        IMPLEMENTATION,
        gateway_is_programmed,
    ),
    Claim::of(SPLITS, "backends get the shares that their weights say", WEIGHTS, weights_split_the_traffic),
    Claim::of(
        "weight_zero_gets_nothing",
        "a backend with weight zero gets nothing",
        ZERO,
        weight_zero_gets_nothing,
    ),
    Claim::of(
        "change_of_weights_takes_effect",
        "weights that are changed take effect",
        CHANGE,
        change_of_weights_takes_effect,
    ),
    Claim::of(
        "headers_choose_the_backend",
        "a request goes where its header says, and one that has it not, or another value, does not",
        HEADERS,
        headers_choose_the_backend,
    ),
    Claim::of(
        "status_is_of_the_latest",
        "what is said of Gateway and routes is said of their latest generation",
        Standing::Additional,
        status_is_of_the_latest,
    ),
    Claim::of(
        "missing_backend_is_told",
        "a route to a Service that there is not is told to be unresolved, and answered with 500",
        Standing::Additional,
        missing_backend_is_told,
    ),
];

/// The pure half of the check. One class that passes is enough ("an implementation"). Backends are the probe's own and what
/// is judged is the gateway, so that nothing of it is simulated.
pub static RULES: Rules<History> = Rules {
    unread,
    unread_later,
    // What comes after the last batch of a class is not judged any more, though the pods stay until all classes are tried.
    over: &["over", "end"],
    measures: measures::measures,
    pictures: picture::pictures,
    ..Rules::of(
        ID,
        CLAIMS,
        History::read,
        guard::doubt,
        "install an implementation of the Gateway API (such as Envoy Gateway, Istio, Cilium or Traefik) with a GatewayClass, or name a Gateway that is there in the profile: [ai_inference] gateway = \"NAMESPACE/NAME\"",
    )
};
