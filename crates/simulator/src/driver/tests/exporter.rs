//! The exporter, as a scraper meets it.

use crate::breakage::Breakage;
use crate::driver::messages::pod_resources::{
    ContainerDevices, ContainerResources, ListPodResourcesRequest, ListPodResourcesResponse, PodResources,
};
use crate::driver::metrics;
use crate::driver::rpc;
use crate::settings::Settings;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Whether a pod has the device.
type Held = Arc<Mutex<bool>>;

struct Exporter {
    _folder: tempfile::TempDir,
    address: String,
    held: Held,
}

/// An exporter of one device of a plugin, which a kubelet says is held by pod `p`.
async fn exporter(breakages: Vec<Breakage>) -> Exporter {
    let (folder, settings) = super::settings();
    // Asked for first, so that the exporter is given a port that is free.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let plugins = vec!["a.b/g=whole:1".parse().unwrap()];
    let settings = Settings { devices: 0, plugins, metrics: address.clone(), breakages, ..settings };
    let held: Held = Arc::new(Mutex::new(true));
    let socket = rpc::listen(&settings.kubelet_root.join("pod-resources/kubelet.sock"), 0o600).unwrap();
    let said = held.clone();
    tokio::spawn(rpc::serve(socket, move |request| {
        let devices =
            vec![ContainerDevices { resource_name: "a.b/g".into(), device_ids: vec!["gpu-0".into()] }];
        let container = ContainerResources { name: "c".into(), devices, dynamic_resources: Vec::new() };
        let pod = PodResources { name: "p".into(), namespace: "n".into(), containers: vec![container] };
        let pods = if *said.lock().unwrap() { vec![pod] } else { Vec::new() };
        rpc::answer(request, |_: ListPodResourcesRequest| async { Ok(ListPodResourcesResponse { pods }) })
    }));
    tokio::spawn(metrics::serve(super::node(&settings, None)));
    Exporter { _folder: folder, address, held }
}

impl Exporter {
    /// Head and body of an answer, as far as it comes within the time and the length.
    async fn get(&self, path: &str, time: Duration, length: usize) -> (String, Vec<u8>) {
        let mut stream = loop {
            match TcpStream::connect(&self.address).await {
                Ok(stream) => break stream,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let mut limited = stream.take(length as u64);
        let _ = tokio::time::timeout(time, limited.read_to_end(&mut answer)).await;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
        let body = answer.split_off((end + 4).min(answer.len()));
        (String::from_utf8(answer).unwrap(), body)
    }

    async fn text(&self, path: &str) -> String {
        let (_, body) = self.get(path, Duration::from_secs(10), 1 << 20).await;
        String::from_utf8(body).unwrap()
    }
}

#[tokio::test]
async fn a_pod_is_named_as_long_as_it_has_the_device_unless_attribution_is_stale() {
    for (breakages, after) in [(vec![], false), (vec![Breakage::StaleAttribution], true)] {
        let exporter = exporter(breakages).await;
        let text = exporter.text("/metrics").await;
        assert!(text.contains("namespace=\"n\",pod=\"p\",container=\"c\"} 0\n"), "{text}");
        assert!(exporter.text("/metrics/opentelemetry").await.contains("k8s_pod_name=\"p\""));
        *exporter.held.lock().unwrap() = false;
        let text = exporter.text("/metrics").await;
        assert_eq!(text.contains("pod=\"p\""), after, "{text}");
        assert!(text.contains("DCGM_FI_DEV_GPU_UTIL{gpu=\"0\""));
    }
}

#[tokio::test]
async fn what_is_wrong_on_purpose_is_wrong() {
    let second = Duration::from_secs(1);
    let (head, body) = exporter(vec![Breakage::MetricsHang]).await.get("/metrics", second, 1 << 20).await;
    assert!(head.is_empty() && body.is_empty());
    let (_, body) =
        exporter(vec![Breakage::MetricsEndless]).await.get("/metrics", second * 10, 5 << 20).await;
    assert!(body.len() > 4 << 20);
    let (_, body) =
        exporter(vec![Breakage::MetricsGarbage]).await.get("/metrics", second * 10, 1 << 20).await;
    assert!(String::from_utf8(body).is_err());
    let (head, body) =
        exporter(vec![Breakage::MetricsWrongType]).await.get("/metrics", second * 10, 1 << 20).await;
    assert!(head.contains("image/png") && body.starts_with(b"# HELP"), "{head}");
    let (head, body) =
        exporter(vec![Breakage::HtmlInsteadOfMetrics]).await.get("/metrics", second * 10, 1 << 20).await;
    assert!(
        head.contains("200 OK") && head.contains("text/html") && body.starts_with(b"<!DOCTYPE"),
        "{head}"
    );
    assert!(
        !exporter(vec![Breakage::OneSeriesTooFew]).await.text("/metrics").await.contains("DEV_GPU_UTIL{")
    );
    let constant = exporter(vec![Breakage::ConstantUtilisation]).await.text("/metrics").await;
    assert!(constant.lines().any(|line| line.starts_with("DCGM_FI_DEV_GPU_UTIL{") && line.ends_with(" 42")));
    let stale = exporter(vec![Breakage::StaleSamples]).await;
    let text = stale.text("/metrics").await;
    *stale.held.lock().unwrap() = false;
    assert_eq!(text, stale.text("/metrics").await);
    // What was taken is told until the next is.
    let seldom = exporter(vec![Breakage::SamplesEveryHalfMinute]).await;
    let first = seldom.text("/metrics").await;
    *seldom.held.lock().unwrap() = false;
    assert_eq!(first, seldom.text("/metrics").await);
    assert!(first.contains("pod=\"p\""), "{first}");
    let sample = text.lines().find(|line| line.starts_with("DCGM_FI_DEV_GPU_UTIL{")).unwrap();
    let time: i64 = sample.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(time > 1_700_000_000_000, "{sample}");
}

#[tokio::test]
async fn it_is_ready_only_when_everything_serves() {
    let exporter = exporter(vec![]).await;
    let (head, body) = exporter.get("/healthz", Duration::from_secs(10), 1 << 20).await;
    assert!(head.contains("503") && body == b"waiting for: a.b/g\n", "{head}");
    let (head, _) = exporter.get("/else", Duration::from_secs(10), 1 << 20).await;
    assert!(head.contains("404"), "{head}");
}
