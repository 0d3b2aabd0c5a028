//! Devices at work, as a holder meets them.

use crate::driver::work::{self, Reading};
use crate::driver::{cdi, node::Node};
use crate::settings::Settings;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

const WINDOW: Duration = Duration::from_millis(200);

async fn devices() -> (TempDir, Arc<Node>, JoinHandle<std::io::Result<()>>) {
    let (folder, settings) = super::settings();
    let plugins = vec!["a.b/s=shared:1x2".parse().unwrap()];
    let node = super::node(&Settings { plugins, ..settings }, None);
    let serving = tokio::spawn(work::serve(node.clone()));
    let last = cdi::socket(&node.settings, &node.fleet.devices[2], Some(2));
    super::until("the sockets listen", || last.exists()).await;
    (folder, node, serving)
}

async fn connect(node: &Node, index: usize, share: Option<u32>) -> BufReader<UnixStream> {
    let path = cdi::socket(&node.settings, &node.fleet.devices[index], share);
    BufReader::new(UnixStream::connect(path).await.unwrap())
}

async fn ask(stream: &mut BufReader<UnixStream>, request: &str) -> Value {
    stream.get_mut().write_all(format!("{request}\n").as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

fn read(node: &Node, index: u32) -> Reading {
    node.hardware.read(index, WINDOW)
}

#[tokio::test]
async fn work_makes_its_device_busy_and_no_other_and_works_queue() {
    let (_folder, node, _serving) = devices().await;
    let (mut one, mut two, mut other) =
        (connect(&node, 0, None).await, connect(&node, 0, None).await, connect(&node, 1, None).await);
    let start = Instant::now();
    let work = r#"{"work":{"milliseconds":500}}"#;
    // One after the other, they are longer than the window.
    let busy = super::until("the device is busy all the time", || read(&node, 0).utilisation == 1.0);
    let (first, second, ()) = tokio::join!(ask(&mut one, work), ask(&mut two, work), busy);
    assert_eq!((&first, &second), (&json!({"done": {"milliseconds": 500}}), &first));
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(read(&node, 1).utilisation, 0.0);
    ask(&mut other, r#"{"inspect":{}}"#).await;
    assert_eq!(read(&node, 1).utilisation, 0.0);
    super::until("the device is idle again", || read(&node, 0).utilisation == 0.0).await;
}

#[tokio::test]
async fn whoever_goes_away_leaves_no_work_and_no_memory_behind() {
    let (_folder, node, _serving) = devices().await;
    let mut holder = connect(&node, 0, None).await;
    assert_eq!(ask(&mut holder, r#"{"allocate":{"bytes":1000}}"#).await, json!({"done": {"bytes": 1000}}));
    assert_eq!(ask(&mut holder, r#"{"allocate":{"bytes":24}}"#).await, json!({"done": {"bytes": 1024}}));
    assert_eq!((read(&node, 0).used, read(&node, 1).used), (1024, 0));
    let refused = ask(&mut holder, r#"{"allocate":{"bytes":18446744073709551615}}"#).await;
    assert!(refused["refused"].as_str().unwrap().contains("17179868160 are free"), "{refused}");
    assert_eq!(read(&node, 0).used, 1024);
    holder.get_mut().write_all(b"{\"work\":{\"milliseconds\":60000}}\n").await.unwrap();
    super::until("the device is busy", || read(&node, 0).utilisation > 0.0).await;
    drop(holder);
    super::until("the device is idle", || {
        read(&node, 0) == Reading { used: 0, utilisation: 0.0, ..read(&node, 0) }
    })
    .await;
}

#[tokio::test]
async fn a_device_says_what_it_is_and_what_it_does_not_understand() {
    let (_folder, node, _serving) = devices().await;
    let mut share = connect(&node, 2, Some(2)).await;
    let found = ask(&mut share, r#"{"inspect":{}}"#).await;
    assert_eq!(found["device"]["uuid"], node.fleet.devices[2].uuid.as_str());
    assert_eq!(
        (&found["device"]["share"], &found["device"]["driver_version"]),
        (&json!("2/2"), &json!("570.1.2"))
    );
    let mut whole = connect(&node, 0, None).await;
    assert_eq!(ask(&mut whole, r#"{"inspect":{}}"#).await["device"]["share"], Value::Null);
    for wrong in ["", "{}", "{\"work\":{}}", "{\"work\":{\"milliseconds\":-1}}", "nonsense"] {
        let answer = ask(&mut whole, wrong).await;
        assert!(answer["refused"].as_str().unwrap().starts_with("not understood"), "{wrong}: {answer}");
    }
}
