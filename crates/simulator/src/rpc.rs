//! gRPC over unix sockets, as the kubelet speaks it.

use crate::error::SimulatorError;
use camino::{Utf8Path, Utf8PathBuf};
use http::uri::PathAndQuery;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tonic::Status;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;

/// Longest time for one answer of the kubelet.
const ANSWER: Duration = Duration::from_secs(5);

/// Listens on a socket at this path; what an earlier process left there is removed.
///
/// # Errors
/// When the folder cannot be made or the path cannot be bound.
pub fn listen(path: &Utf8Path, mode: u32) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    crate::cdi::remove(path)?;
    let listener =
        UnixListener::bind(path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

/// Serves until it is dropped; connections end with it.
pub async fn serve<H, F>(listener: UnixListener, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let handler = handler.clone();
                let service = hyper::service::service_fn(move |request| {
                    let answer = handler(request);
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                connections.spawn(async move {
                    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    // How a connection ends is the kubelet's business.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers one call.
pub async fn answer<M, R, F>(request: Request<Incoming>, call: impl FnOnce(M) -> F + Send) -> Response<Body>
where
    M: prost::Message + Default + Send + 'static,
    R: prost::Message + Default + Send + 'static,
    F: Future<Output = Result<R, Status>> + Send,
{
    let mut call = Some(call);
    let service = tower::service_fn(|request: tonic::Request<M>| {
        let answer = call.take().map(|call| call(request.into_inner()));
        async move {
            match answer {
                Some(answer) => answer.await.map(tonic::Response::new),
                None => Err(Status::internal("called twice")),
            }
        }
    });
    Grpc::new(ProstCodec::<R, M>::default()).unary(service, request).await
}

/// Answers one call with a message, and leaves the stream open for more that never come.
pub async fn answer_and_stay<M, R>(request: Request<Incoming>, message: R) -> Response<Body>
where
    M: prost::Message + Default + Send + 'static,
    R: prost::Message + Default + Send + Sync + 'static,
{
    use futures::StreamExt;
    let stream = futures::stream::iter([Ok(message)]).chain(futures::stream::pending());
    let mut stream = Some(stream);
    let service = tower::service_fn(|_: tonic::Request<M>| {
        let stream = stream.take();
        async move { stream.map(tonic::Response::new).ok_or_else(|| Status::internal("called twice")) }
    });
    Grpc::new(ProstCodec::<R, M>::default()).server_streaming(service, request).await
}

/// The answer to a call of something that is not served.
pub fn unknown(path: &str) -> Response<Body> {
    Status::unimplemented(format!("{path} is not served")).into_http()
}

/// Calls the kubelet.
///
/// # Errors
/// [`SimulatorError::Kubelet`] when it is not there, refuses, or does not answer in 5 s.
pub async fn call<M, R>(socket: &Utf8Path, method: &'static str, message: M) -> Result<R, SimulatorError>
where
    M: prost::Message + 'static,
    R: prost::Message + Default + 'static,
{
    let failed =
        |why: String| SimulatorError::Kubelet { socket: socket.to_owned(), what: method.into(), why };
    let path: Utf8PathBuf = socket.to_owned();
    let asking = async {
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let endpoint = tonic::transport::Endpoint::from_static("http://localhost");
        let channel = endpoint
            .connect_with_connector(connector)
            .await
            .map_err(|error| aiconform_cluster::causes(&error))?;
        // The list of a full node's pods and their devices may be large.
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(16 << 20);
        client.ready().await.map_err(|error| aiconform_cluster::causes(&error))?;
        let codec = ProstCodec::<M, R>::default();
        let answer =
            client.unary(tonic::Request::new(message), PathAndQuery::from_static(method), codec).await;
        answer.map(tonic::Response::into_inner).map_err(|status| status.message().to_owned())
    };
    match tokio::time::timeout(ANSWER, asking).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", ANSWER.as_secs()))),
    }
}
