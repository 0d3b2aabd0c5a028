//! From a port of the host into the lab's network: port → socket file → port inside.

use camino::Utf8Path;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Forwards every connection of the host's port to the socket file, for ever.
pub async fn host_side(listener: TcpListener, socket: &Utf8Path) {
    loop {
        if let Ok((mut outer, _)) = listener.accept().await {
            let socket = socket.to_owned();
            tokio::spawn(async move {
                if let Ok(mut inner) = UnixStream::connect(socket.as_std_path()).await {
                    // A connection that breaks is the client's to see.
                    let _ = copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    }
}

/// Forwards every connection of the socket file to the API server inside, for ever.
pub async fn lab_side(listener: UnixListener) {
    loop {
        if let Ok((mut outer, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut inner) = TcpStream::connect("127.0.0.1:6443").await {
                    let _ = copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    }
}
