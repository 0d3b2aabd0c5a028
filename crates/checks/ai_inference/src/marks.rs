//! The contract between what is done and what is judged: marks, facts of a subject, and constants of both.

use aiconform_model::Kind;
use aiconform_model::probe::{Counted, Sent};
use aiconform_trial::Marks;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Id of the requirement.
pub const ID: &str = "ai_inference";
/// The subject that is absent when there is nothing to try.
pub const ABSENT: &str = "gateway-api";

/// The backend that gets most of the traffic of the split.
pub const STABLE: &str = "stable";
/// The backend that gets the rest, and what has the right header.
pub const CANARY: &str = "canary";
/// The backend that has weight zero.
pub const IDLE: &str = "idle";
/// Roles of all backends.
pub const BACKENDS: &[&str] = &[STABLE, CANARY, IDLE];

/// Weights of the split before the change, in the order of [`BACKENDS`]; they sum up to 100.
pub const WEIGHTS: [u64; 3] = [80, 20, 0];
/// Weights of the split after the change, likewise.
pub const CHANGED: [u64; 3] = [20, 80, 0];

/// Header by which requests are routed, one of OpenAI's; the route and the sender write it in letters of other sizes, which
/// make no difference in names (RFC 9110, section 5.1).
pub const HEADER: &str = "OpenAI-Organization";
/// Value of [`HEADER`] that leads to [`CANARY`].
pub const VALUE: &str = "org-Alpha";

/// Name of the case, and of the route, over which weights split.
pub const SPLIT: &str = "split";
/// Name of the case of the split after its weights have changed.
pub const AFTER: &str = "changed";
/// Name of the case, and of the route, of a Service that there is not.
pub const MISSING: &str = "missing";
/// Name of the case of a host of no route.
pub const NOWHERE: &str = "nowhere";

/// Number of connections that are used again: so few that who chooses a backend for each of them does not come near the
/// weights.
pub const KEPT: u32 = 3;
/// Number of requests by which is looked whether a change has taken effect; in half of so many, the smaller share never is.
pub const LOOK: u32 = 60;

/// A form of request for the route that goes by a header.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Header that is sent; empty: none.
    pub header: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Method, where it is not a POST of a completion.
    pub method: &'static str,
    /// Path, likewise.
    pub path: &'static str,
    /// The backend that must answer.
    pub expects: &'static str,
}

const fn case(name: &'static str, header: &'static str, value: &'static str, expects: &'static str) -> Case {
    Case { name, header, value, method: "", path: "", expects }
}

/// All forms: what matches, and what nearly does.
pub const CASES: &[Case] = &[
    case("the value", HEADER, VALUE, CANARY),
    Case { method: "GET", path: "/v1/models", ..case("the value with another path", HEADER, VALUE, CANARY) },
    case("another value", HEADER, "org-Beta", STABLE),
    case("the value in small letters", HEADER, "org-alpha", STABLE),
    case("the value and more", HEADER, "org-Alpha-2", STABLE),
    case("the value in another header", "OpenAI-Project", VALUE, STABLE),
    case("no header", "", "", STABLE),
];

const GROUP: &str = "gateway.networking.k8s.io";

/// Classes of gateways.
pub fn gateway_classes() -> Kind {
    Kind::cluster_wide(GROUP, "v1", "GatewayClass", "gatewayclasses")
}

/// Gateways.
pub fn gateways() -> Kind {
    Kind::namespaced(GROUP, "v1", "Gateway", "gateways")
}

/// Routes.
pub fn http_routes() -> Kind {
    Kind::namespaced(GROUP, "v1", "HTTPRoute", "httproutes")
}

/// Facts of a subject, which is a GatewayClass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Name of the class.
    pub class: String,
    /// Name of the controller that is to implement it.
    pub controller: String,
    /// The condition by which it is accepted; none where nothing was said.
    pub accepted: Option<Condition>,
    /// Number of features that it says it supports; none where it does not say.
    pub features: Option<u64>,
    /// Fact `OWN_CONTROL` of the verdict: its controls are its own.
    pub own_control: bool,
}

/// A condition as an object of Kubernetes has it; what is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    /// Its type, such as `Accepted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Its reason, a word.
    pub reason: String,
    /// Its message, a sentence.
    pub message: String,
    /// Generation of the object that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Time of its last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
}

impl Condition {
    /// Reason and message in words.
    pub fn words(&self) -> String {
        [self.reason.as_str(), &self.message].join(" ").trim().to_owned()
    }
}

/// A pod of the run, and who it says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The name that it says.
    pub name: String,
    /// Name of the pod.
    pub pod: String,
    /// The pod's IP address.
    pub address: String,
}

/// The pod that sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// Name of the pod.
    pub pod: String,
    /// The pod's IP address.
    pub address: String,
}

/// The status of a route as the class's controller writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteStatus {
    /// Generation of the route.
    pub generation: Option<i64>,
    /// Conditions of the controller; none where it has written nothing.
    pub conditions: Option<Vec<Condition>>,
}

/// Steps of the check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// The pods are made.
    Pods {},
    /// The sender asks the backends without a gateway.
    Direct {
        /// The backends, by role.
        backends: BTreeMap<String, Backend>,
        /// The sender.
        sender: Sender,
    },
    /// The backends were asked so.
    Directly {
        /// Answers, by role.
        sent: BTreeMap<String, Sent>,
    },
    /// A Gateway is made.
    Gateway {
        /// Its class.
        class: String,
    },
    /// The Gateway is programmed, or refused.
    Programmed {
        /// Generation of the Gateway.
        generation: Option<i64>,
        /// Its conditions.
        conditions: Option<Vec<Condition>>,
        /// Addresses of its status, as they stand there.
        addresses: Value,
        /// The address that is used: the profile's, else the first of its status.
        address: Option<String>,
    },
    /// The routes are made.
    Routes {
        /// Their hosts.
        hosts: Vec<String>,
        /// Weights of the split.
        weights: [u64; 3],
    },
    /// The controller has written the status of the routes, or had its time.
    Told {
        /// Status of the route that splits; none where the route is not there any more.
        split: Option<RouteStatus>,
        /// Status of the route that goes by a header.
        header: Option<RouteStatus>,
        /// Status of the route of a Service that there is not.
        missing: Option<RouteStatus>,
    },
    /// It is waited for the gateway to serve the routes.
    Serve {},
    /// The gateway serves the routes, or had its time.
    Served {
        /// True if it serves them.
        served: bool,
        /// The last that was sent.
        last: Sent,
    },
    /// A batch is sent.
    Batch {
        /// Its case.
        case: String,
        /// Its name.
        batch: String,
        /// Number of requests.
        count: u32,
    },
    /// A batch was sent.
    Answered {
        /// Its case.
        case: String,
        /// Its name.
        batch: String,
        /// True if connections were to be used again.
        keeps_alive: bool,
        /// Answers that came back.
        sent: Sent,
    },
    /// It is waited for the route of a Service that there is not to be answered with 500.
    Refuse {},
    /// The route of a Service that there is not was answered with 500, or had its time.
    Refused {
        /// True if it was answered so.
        refused: bool,
    },
    /// The backends were asked what came.
    Counted {
        /// Requests by role and batch.
        backends: BTreeMap<String, BTreeMap<String, Counted>>,
    },
    /// The weights are changed.
    Change {
        /// The weights after it.
        weights: [u64; 3],
    },
    /// The change was seen to take effect, or had its time.
    Changed {
        /// True if it was seen.
        changed: bool,
        /// Number of requests that were sent to see it.
        requests: u32,
        /// The last of them.
        last: Sent,
        /// Milliseconds since the change.
        milliseconds: u64,
    },
    /// It is waited for the controller to write the status of the route that was changed.
    Reread {},
    /// The controller has written the status of the route that was changed, or had its time.
    ToldAgain {
        /// Status of the route that splits.
        split: Option<RouteStatus>,
    },
    /// All was tried on a class.
    End {},
    /// All classes were tried; the pods go.
    Over {},
}

impl Marks for Mark {}
