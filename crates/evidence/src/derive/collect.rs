//! Names that stand in a run: found by where they stand in objects, paths and samples, and by their form anywhere.

use super::key::Key;
use super::patterns;
use super::pseudonym::is_public;
use aiconform_model::{Event, EventKind};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Sort of thing that a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A thing that the user named.
    Hidden,
    /// A node, or the machine or claim behind it.
    Node,
    /// A namespace that is not the run's own.
    Namespace,
    /// A pod that is not the run's own.
    Pod,
    /// A host, or a registry of images that is not a public one.
    Host,
    /// An address of a machine, or of a network.
    Address,
    /// A UUID.
    Uuid,
    /// Another thing that tells a machine or a container: serial numbers, digests of containers.
    Machine,
    /// The cloud's name of a machine, and where it stands.
    Cloud,
    /// A user.
    User,
    /// The context of the kubeconfig, and its parts.
    Context,
}

impl Sort {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Sort::Node => "node",
            Sort::Namespace => "namespace",
            Sort::Pod => "pod",
            Sort::Host => "host",
            Sort::Address => "address",
            Sort::Uuid => "UUID",
            Sort::Machine => "machine or container",
            Sort::Cloud => "cloud",
            Sort::User => "user",
            Sort::Context => "context",
            Sort::Hidden => "named with --hide",
        }
    }
}

/// Edge of a name in a text, which says where it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Neither a letter, a digit nor `_` on either side.
    Word,
    /// Like [`Edge::Word`], and no further number of an address.
    Address,
    /// No further hexadecimal digit behind it.
    Hexadecimal,
}

/// A name and its pseudonym.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub sort: Sort,
    pub edge: Edge,
    pub pseudonym: String,
}

/// The names of a run while they are collected.
#[derive(Default)]
pub(super) struct Collector {
    names: BTreeMap<String, Sort>,
    patterns: BTreeMap<String, Entry>,
    own: BTreeSet<String>,
}

/// Beginning of the names of the run's own namespaces and objects.
const OWN: &str = "aiconform";
/// The label that they have, in a namespace of the platform too.
const RUN: &str = "aiconform.dev/run";
/// Registries that everybody uses.
const REGISTRIES: &[&str] = &[
    "docker.io",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "k8s.io",
    "nvcr.io",
    "microsoft.com",
    "amazonaws.com",
    "pkg.dev",
    "gitlab.com",
    "redhat.io",
    "redhat.com",
    "intel.com",
    "rocm.com",
];
/// Hosts of documents, which messages name.
const DOCUMENTS: &[&str] = &[
    "kubernetes.io",
    "k8s.io",
    "github.com",
    "github.io",
    "githubusercontent.com",
    "cncf.io",
    "ietf.org",
    "w3.org",
    "json-schema.org",
    "readthedocs.io",
    "nvidia.com",
    "ray.io",
    "googleapis.com",
    "opencontainers.org",
];

impl Collector {
    /// Looks at an event.
    pub fn event(&mut self, key: &Key, event: &Event) {
        self.text(key, &event.scope.subject);
        match &event.kind {
            EventKind::Watch { kind, object, .. } => self.value(key, "object", &kind.kind, &object.0),
            other => {
                if let Ok(value) = serde_json::to_value(other) {
                    self.value(key, "", "", &value);
                }
            }
        }
    }

    /// Looks at `run.json`.
    pub fn run(&mut self, key: &Key, run: &Value) {
        if let Some(context) = run.pointer("/cluster/context").and_then(Value::as_str) {
            self.parts(context, Sort::Context);
            self.name(context, Sort::Context);
        }
        self.value(key, "", "", run);
    }

    /// Looks at a text in which nothing has a place.
    pub fn text(&mut self, key: &Key, text: &str) {
        for range in patterns::uuids(text) {
            self.hexadecimal(key, &text[range], Sort::Uuid);
        }
        for range in patterns::digests(text) {
            self.hexadecimal(key, &text[range], Sort::Machine);
        }
        if text.contains(['.', ':']) {
            self.addresses(key, text);
        }
        for host in patterns::hosts(text) {
            if !DOCUMENTS.iter().any(|public| ends_with_domain(host, public)) {
                self.host(host, Sort::Host);
            }
        }
        for user in patterns::users(text) {
            self.user(user);
        }
        for (label, value) in patterns::labels(text) {
            self.keyed(key, label, value);
        }
        if text.contains("/namespaces/") || text.contains("/nodes/") {
            for namespace in patterns::segments(text, "/namespaces/") {
                self.name(namespace, Sort::Namespace);
            }
            for node in patterns::segments(text, "/nodes/") {
                self.host(node, Sort::Node);
            }
            for (namespace, pod) in
                patterns::segments(text, "/namespaces/").iter().zip(patterns::segments(text, "/pods/"))
            {
                if namespace.starts_with(OWN) {
                    self.own.insert(pod.to_owned());
                } else {
                    self.name(pod, Sort::Pod)
                }
            }
        }
    }

    /// A word that the user wants to be hidden.
    pub fn hide(&mut self, word: &str) {
        self.names.insert(word.to_owned(), Sort::Hidden);
    }

    fn value(&mut self, key: &Key, at: &str, kind: &str, value: &Value) {
        match value {
            Value::Object(map) => self.object(key, kind, map),
            Value::Array(items) => {
                for item in items {
                    self.value(key, at, kind, item);
                }
            }
            Value::String(text) => {
                self.keyed(key, at, text);
                self.text(key, text);
            }
            _ => {}
        }
    }

    fn object(&mut self, key: &Key, kind: &str, map: &Map<String, Value>) {
        let kind = map.get("kind").and_then(Value::as_str).unwrap_or(kind);
        if let Some(Value::Object(metadata)) = map.get("metadata") {
            let text = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
            if text("namespace").starts_with(OWN)
                || metadata.get("labels").is_some_and(|labels| labels.get(RUN).is_some())
            {
                self.own.insert(text("name").to_owned());
            } else {
                self.named(kind, text("name"));
            }
        }
        for (name, item) in map {
            self.text(key, name);
            // The items of a list do not say what they are.
            let inner = if name == "items" { kind.strip_suffix("List").unwrap_or_default() } else { "" };
            self.value(key, name, inner, item);
        }
    }

    /// An object of somebody else, by its kind and name.
    fn named(&mut self, kind: &str, name: &str) {
        match kind {
            "Node" | "CSINode" | "NodeClaim" | "Machine" => self.host(name, Sort::Node),
            "Namespace" => self.name(name, Sort::Namespace),
            "Pod" => self.name(name, Sort::Pod),
            _ => {}
        }
    }

    /// A value by the key at which it stands.
    fn keyed(&mut self, key: &Key, at: &str, value: &str) {
        let (domain, last) = at.rsplit_once('/').unwrap_or(("", at));
        match last {
            "node" | "nodeName" | "nodename" | "node_name" | "Hostname" | "kubernetes_node"
            | "exported_node" => self.host(value, Sort::Node),
            "hostname" if !domain.is_empty() => self.host(value, Sort::Node),
            "hostname" | "host" | "instance" | "exported_instance" => {
                self.host(value.split(':').next().unwrap_or_default(), Sort::Host)
            }
            "namespace" | "namespaces" | "exported_namespace" | "kubernetes_namespace" | "pod_namespace" => {
                self.name(value, Sort::Namespace)
            }
            "pod" | "podName" | "pod_name" | "exported_pod" | "kubernetes_pod_name" => {
                self.name(value, Sort::Pod)
            }
            "providerID" => self.parts(value, Sort::Cloud),
            "machineID" | "serial" | "serialNumber" | "serial_number" => self.machine(key, value),
            "username" | "user" => self.user(value),
            "image" | "imageID" => self.image(value),
            "zone" | "region" | "rack" | "instance-id" | "cluster-name" | "nodepool"
                if !domain.is_empty() =>
            {
                self.name(value, Sort::Cloud)
            }
            _ => {}
        }
    }

    fn machine(&mut self, key: &Key, value: &str) {
        if value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.hexadecimal(key, value, Sort::Machine);
        } else {
            self.name(value, Sort::Machine);
        }
    }

    fn user(&mut self, user: &str) {
        if let Some(account) = user.strip_prefix("system:serviceaccount:") {
            self.name(account.split(':').next().unwrap_or_default(), Sort::Namespace);
        } else if let Some(node) = user.strip_prefix("system:node:") {
            self.host(node, Sort::Node);
        } else if !user.starts_with("system:") {
            self.name(user, Sort::User);
        }
    }

    fn image(&mut self, image: &str) {
        let image = image.rsplit("://").next().unwrap_or_default();
        let Some((registry, _)) = image.split_once('/') else { return };
        let host = registry.split(':').next().unwrap_or_default();
        if registry.contains(['.', ':']) && !REGISTRIES.iter().any(|public| ends_with_domain(host, public)) {
            self.host(host, Sort::Host);
        }
    }

    /// A host: whole, and what stands before its domain.
    fn host(&mut self, host: &str, sort: Sort) {
        // Services of the cluster are named by namespaces, which are found on their own.
        if host.contains(".svc")
            || host.parse::<std::net::IpAddr>().is_ok()
            || host.ends_with(".aiconform.test")
        {
            return;
        }
        self.name(host, sort);
        if let Some((first, _)) = host.split_once('.').filter(|(first, _)| !is_public(first)) {
            self.name(first, sort);
        }
    }

    /// Collects each name of a text that is made of several, such as an ARN.
    fn parts(&mut self, value: &str, sort: Sort) {
        for part in value.split([':', '/', '@', '_']) {
            // Shorter ones are of the form and not of the thing.
            if part.len() >= 4 && !is_public(part) {
                self.host(part, sort);
            }
        }
    }

    fn name(&mut self, name: &str, sort: Sort) {
        let form = |letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | ':' | '/' | '@' | '+')
        };
        if !name.is_empty()
            && name.len() <= 512
            && name.chars().all(form)
            && !name.starts_with(OWN)
            && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        {
            let known = self.names.entry(name.to_owned()).or_insert(sort);
            *known = sort.min(*known);
        }
    }

    fn hexadecimal(&mut self, key: &Key, text: &str, sort: Sort) {
        if !self.patterns.contains_key(text) {
            let entry = Entry { sort, edge: Edge::Hexadecimal, pseudonym: key.hexadecimal(text) };
            self.patterns.insert(text.to_owned(), entry);
        }
    }

    fn addresses(&mut self, key: &Key, text: &str) {
        for (written, address, length) in patterns::addresses(text) {
            if self.patterns.contains_key(written) {
                continue;
            }
            let Some(pseudonym) = key.address(address) else { continue };
            let pseudonym = match length {
                Some(length) => format!("{}/{length}", network(pseudonym, length)),
                None => pseudonym.to_string(),
            };
            if length.is_none() {
                // As names of hosts and pods have it.
                let dashed = |text: &str| text.replace(['.', ':'], "-");
                let entry = Entry { sort: Sort::Address, edge: Edge::Word, pseudonym: dashed(&pseudonym) };
                self.patterns.insert(dashed(written), entry);
            }
            let entry = Entry { sort: Sort::Address, edge: Edge::Address, pseudonym };
            self.patterns.insert(written.to_owned(), entry);
        }
    }

    /// Names with their pseudonyms, and those that stay because they name nobody.
    pub fn finish(self, key: &Key) -> (BTreeMap<String, Entry>, BTreeMap<String, Sort>) {
        let mut entries = self.patterns;
        let mut kept = BTreeMap::new();
        for (name, sort) in self.names {
            // What the run itself calls a pod, or what a pod calls itself; a node is never the run's own.
            let own = matches!(sort, Sort::Pod | Sort::Host) && self.own.contains(&name);
            if own || entries.contains_key(&name) {
                continue;
            }
            let mut pseudonym = key.name(&name);
            if sort == Sort::Hidden && pseudonym == name {
                pseudonym = key.word(&name);
            }
            if pseudonym == name
                && name
                    .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'))
                    .all(is_public)
            {
                kept.insert(name, sort);
            } else {
                entries.insert(name, Entry { sort, edge: Edge::Word, pseudonym });
            }
        }
        (entries, kept)
    }
}

fn ends_with_domain(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The first address of a network.
fn network(address: std::net::IpAddr, length: u8) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            std::net::Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        std::net::IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            std::net::Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
