//! Undoing on an API server that holds finalizers, in the time that it would take.

use crate::cleanup::{Found, cleanup, undo};
use crate::journal::Entry;
use crate::testing::Server;
use aiconform_model::{EventKind, Kind};
use futures::FutureExt;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CONTROL: &str = "/api/v1/namespaces/aiconform-abc";
const OWN: &str = "/api/v1/namespaces/aiconform-abc-x";
const WIDGET: &str = "/apis/widgets.example.com/v1/namespaces/aiconform-abc-x/widgets/w";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/widgets/leases/leader.widgets.example.com";

fn widgets() -> Kind {
    Kind::namespaced("widgets.example.com", "v1", "Widget", "widgets")
}

/// A server with the traces of a run: its journal, and a namespace with objects of these kinds.
fn server(kinds: &[Kind]) -> Arc<Server> {
    let server = Arc::new(Server::default());
    let entry = Entry::Namespace { name: "aiconform-abc-x".into(), kinds: kinds.to_vec() };
    let journal = json!({"data": {"000000": serde_json::to_string(&entry).unwrap()}});
    server.put(CONTROL, json!({}));
    server.put(&format!("{CONTROL}/configmaps/aiconform-abc"), journal);
    server.put(OWN, json!({}));
    server
}

fn held(finalizer: &str) -> Value {
    json!({"metadata": {"finalizers": [finalizer], "creationTimestamp": "2026-01-01T10:00:00Z"}})
}

fn lease(renewed: &str) -> Value {
    json!({"spec": {"leaseDurationSeconds": 15, "renewTime": renewed}})
}

/// Undoes; gives what is left, what was said, and how long it took.
async fn undone(server: &Arc<Server>) -> (Vec<String>, Vec<String>, Duration) {
    let (api, _) = server.client();
    let (said, start) = (Mutex::new(Vec::new()), tokio::time::Instant::now());
    let found = Found { id: "abc".into(), namespace: "aiconform-abc".into(), age: None };
    let left = cleanup(&api, &found, &|words| said.lock().unwrap().push(words.to_owned())).await.unwrap();
    (left, said.into_inner().unwrap(), start.elapsed())
}

fn patches(server: &Server) -> Vec<String> {
    server.acts.lock().unwrap().iter().filter(|act| act.starts_with("PATCH")).cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_whose_controller_ceased_is_taken_and_everything_goes() {
    let server = server(&[widgets()]);
    server.put(WIDGET, held("widgets.example.com/in-use"));
    server.put(LEASE, lease("2026-01-01T10:03:00.000000Z"));
    let (left, said, time) = undone(&server).await;
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(patches(&server), [format!("PATCH {WIDGET}")]);
    assert!(time < Duration::from_secs(60), "{time:?} {said:?}");
    assert!(server.get(CONTROL).is_none() && server.get(OWN).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_is_at_work_is_waited_for() {
    let server = server(&[widgets()]);
    server.put(WIDGET, held("widgets.example.com/in-use"));
    let renews = {
        let server = server.clone();
        tokio::spawn(async move {
            for second in 0.. {
                server.put(
                    LEASE,
                    lease(&format!("2026-01-01T10:{:02}:{:02}Z", second / 6 % 60, second % 6 * 10)),
                );
                tokio::time::sleep(Duration::from_secs(10)).await;
                if second == 12 {
                    // At last it does what it has promised.
                    let mut free = server.get(WIDGET).unwrap();
                    free["metadata"]["finalizers"] = json!([]);
                    server.put(WIDGET, free);
                    server.delete(WIDGET);
                    // Nothing holds the namespace any more, and it goes when somebody looks at it again.
                    server.put(OWN, json!({"metadata": {"deletionTimestamp": "2026-01-01T10:05:00Z"}}));
                }
                if second == 14 {
                    server.delete(OWN);
                }
            }
        })
    };
    let (left, said, time) = undone(&server).await;
    renews.abort();
    // Touched after a minute, and otherwise left to whoever holds it.
    assert_eq!((left, patches(&server)), (Vec::new(), vec![format!("PATCH {WIDGET}")]));
    assert!(time > Duration::from_secs(140) && time < Duration::from_secs(180), "{time:?}");
    let words = said.first().unwrap();
    assert!(words.contains("Widget aiconform-abc-x/w is held by the finalizer widgets.example.com/in-use"));
    assert!(words.contains("holds the Lease widgets/leader.widgets.example.com"), "{words}");
}

/// A controller that renews its Lease each second, and does what it has promised of the widget once that is so.
fn controller(
    server: &Arc<Server>,
    is_time: impl Fn(&Value) -> bool + Send + 'static,
) -> tokio::task::JoinHandle<()> {
    let server = server.clone();
    tokio::spawn(async move {
        for second in 0.. {
            server.put(LEASE, lease(&format!("2026-01-01T10:{:02}:{:02}Z", second / 60 % 60, second % 60)));
            tokio::time::sleep(Duration::from_secs(1)).await;
            if server.get(WIDGET).is_some_and(|object| is_time(&object)) {
                server.put(WIDGET, json!({"metadata": {"finalizers": []}}));
                server.delete(WIDGET);
                server.delete(OWN);
            }
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_missed_its_moment_is_woken_by_a_change_and_keeps_its_promise_itself() {
    let server = server(&[widgets()]);
    server.put(WIDGET, held("widgets.example.com/in-use"));
    // It looks at what it holds when that changes, and never else.
    let controller = controller(&server, |object| object.pointer("/metadata/annotations").is_some());
    let (left, _, time) = undone(&server).await;
    controller.abort();
    assert_eq!((left, patches(&server)), (Vec::new(), vec![format!("PATCH {WIDGET}")]));
    assert!(time > Duration::from_secs(60) && time < Duration::from_secs(110), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_awaited_beside_a_finalizer_of_nobody_does_not_keep_that_from_being_taken() {
    let server = server(&[widgets()]);
    let labels = json!({"f:metadata": {"f:labels": {"f:aiconform.dev/run": {}}}});
    let mut object = held("widgets.example.com/in-use");
    object["metadata"]["finalizers"] = json!(["widgets.example.com/in-use", "lab.example.org/never"]);
    object["metadata"]["managedFields"] = json!([{"manager": "unknown", "fieldsV1": labels}]);
    server.put(WIDGET, object);
    // It keeps its promise as soon as it is the last.
    let alone = json!(["widgets.example.com/in-use"]);
    let controller = controller(&server, move |object| object["metadata"]["finalizers"] == alone);
    let (left, _, time) = undone(&server).await;
    controller.abort();
    assert_eq!((left, patches(&server)), (Vec::new(), vec![format!("PATCH {WIDGET}")]));
    assert!(time > Duration::from_secs(180) && time < Duration::from_secs(240), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_of_whose_kind_no_path_is_known_any_more_is_not_taken_for_gone() {
    let server = server(&[widgets()]);
    server.unserved.lock().unwrap().insert(OWN.into());
    let (left, ..) = undone(&server).await;
    assert!(left.len() == 1 && left[0].contains("its kind is not served any more"), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_is_waited_for_a_quarter_of_an_hour_and_its_finalizer_is_never_taken() {
    let services = Kind::namespaced("", "v1", "Service", "services");
    let server = server(&[services]);
    let path = format!("{OWN}/services/s");
    server.put(&path, held("service.kubernetes.io/load-balancer-cleanup"));
    let (left, said, time) = undone(&server).await;
    assert_eq!(patches(&server), Vec::<String>::new());
    assert!(
        server.get(&path).is_some() && server.get(CONTROL).is_some(),
        "the journal stays for the next clean-up"
    );
    assert!(time >= Duration::from_secs(900) && time < Duration::from_secs(940), "{time:?}");
    assert!(left.len() == 1 && left[0].contains("service.kubernetes.io/load-balancer-cleanup"), "{left:?}");
    assert!(left[0].contains("NamespaceFinalizersRemaining"), "{left:?}");
    // At least once a minute, and not at every look.
    assert!((14..=20).contains(&said.len()), "{}: {said:?}", said.len());
}

#[tokio::test(start_paused = true)]
async fn kinds_that_the_run_did_not_write_down_are_named_and_left_alone() {
    let server = server(&[Kind::pod()]);
    server.put(WIDGET, held("widgets.example.com/in-use"));
    server.put(LEASE, lease("2026-01-01T10:03:00.000000Z"));
    let (left, ..) = undone(&server).await;
    assert_eq!(patches(&server), Vec::<String>::new());
    assert!(left.len() == 1 && left[0].contains("NamespaceFinalizersRemaining: some"), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_no_finalizer_keeps_says_itself_what_does_and_is_not_waited_for_long() {
    let server = server(&[widgets()]);
    let condition = json!({"type": "NamespaceDeletionDiscoveryFailure", "status": "True",
        "message": "stale GroupVersion discovery: metrics.example.com/v1"});
    let kept = json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"conditions": [condition]}});
    server.put(OWN, kept);
    let (left, _, time) = undone(&server).await;
    assert!(left[0].contains("stale GroupVersion discovery: metrics.example.com/v1"), "{left:?}");
    assert!(time >= Duration::from_secs(90) && time < Duration::from_secs(110), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_to_end_the_wait_is_told_what_is_left() {
    let server = server(&[widgets()]);
    server.put(WIDGET, held("widgets.example.com/in-use"));
    let (api, kept) = server.client();
    let stop = tokio::time::sleep(Duration::from_secs(35)).boxed();
    let left = undo(&api, "abc", "aiconform-abc", &|_| {}, stop).await.unwrap();
    assert!(left.iter().any(|words| words.contains("Widget aiconform-abc-x/w")), "{left:?}");
    let kept = kept.0.lock().unwrap();
    assert!(!kept.iter().any(|event| matches!(event, EventKind::Fact { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_the_namespace_does_not_see_is_deleted_and_freed_all_the_same() {
    let condition = |kind, status, message| json!({"type": kind, "status": status, "message": message});
    let nothing = condition("NamespaceFinalizersRemaining", "False", "all finished");
    // An API is gone; or something else is deleted first. The namespace says both times that nothing is left in it.
    for conditions in [
        json!([condition("NamespaceDeletionDiscoveryFailure", "True", "one is gone"), nothing]),
        json!([nothing]),
    ] {
        let server = server(&[widgets()]);
        server.put(LEASE, lease("2026-01-01T10:03:00.000000Z"));
        server
            .put(OWN, json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"conditions": conditions}}));
        let late = {
            let server = server.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                server.put(WIDGET, held("widgets.example.com/in-use"));
            })
        };
        let (left, ..) = undone(&server).await;
        late.await.unwrap();
        assert!(server.get(WIDGET).is_none());
        assert!(left.len() == 1 && !left[0].contains("Widget"), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_deleted_at_first_is_deleted_later() {
    let server = server(&[]);
    let labelled = json!({"metadata": {"labels": {"aiconform.dev/run": "abc"}}});
    server.put(OWN, labelled);
    server.refuse(OWN, 2);
    assert_eq!(undone(&server).await.0, Vec::<String>::new());
    let deleted = server.acts.lock().unwrap().iter().filter(|act| **act == format!("DELETE {OWN}")).count();
    assert_eq!((deleted, server.get(OWN)), (3, None));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_no_answer_any_more_is_not_waited_for_long() {
    let server = server(&[widgets()]);
    server.put(WIDGET, held("widgets.example.com/in-use"));
    let vanishes = {
        let server = server.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(45)).await;
            server.vanish();
        })
    };
    let (left, _, time) = undone(&server).await;
    vanishes.await.unwrap();
    assert!(left[0].contains("gave no answer"), "{left:?}");
    assert!(time < Duration::from_secs(220), "{time:?}");
}
