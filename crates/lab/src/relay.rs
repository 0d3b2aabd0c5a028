//! From a port of the host into the lab's network: port → socket file → port inside; and the weather on that way, which is
//! what a client far away, or behind a bad line, meets.

use crate::error::LabError;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Name of the socket in the state folder by which the supervisor learns of the weather.
const SOCKET: &str = "weather.sock";
/// Life of a connection where connections are reset.
const LIFE: Duration = Duration::from_secs(5);
/// Time that everything takes longer where the way is long.
const DELAY: Duration = Duration::from_millis(300);
/// Of each so many seconds, nothing comes through for the last so many, where the way stalls.
const STALL: (u64, u64) = (30, 10);

/// Weather between the host and the API server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weather {
    /// Everything comes through.
    #[default]
    Fine,
    /// Every connection is reset after some seconds.
    Resets,
    /// From time to time nothing comes through, and no connection ends.
    Stalls,
    /// Everything takes longer, both ways.
    Delays,
    /// Nothing comes through, and connections are reset at once.
    CutOff,
}

/// Tells the supervisor of other weather, from inside the lab, and waits until it has begun.
///
/// # Errors
/// When the supervisor does not answer.
pub async fn change(state: &Utf8Path, weather: Weather) -> Result<(), LabError> {
    let mut stream = UnixStream::connect(state.join(SOCKET).as_std_path()).await?;
    let line = serde_json::to_string(&weather).map_err(|error| LabError::State(state.join(SOCKET), error))?;
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    // It closes the connection when it has changed.
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// Takes news of the weather for ever.
///
/// # Errors
/// When the socket cannot be made.
pub async fn forecasts(state: &Utf8Path, sky: watch::Sender<Weather>) -> std::io::Result<()> {
    let listener = UnixListener::bind(state.join(SOCKET).as_std_path())?;
    loop {
        let (stream, _) = listener.accept().await?;
        if let Ok(Some(line)) = BufReader::new(stream).lines().next_line().await
            && let Ok(weather) = serde_json::from_str(&line)
        {
            sky.send_replace(weather);
        }
    }
}

/// Forwards every connection of the host's port to the socket file, in that weather, for ever.
pub async fn host_side(listener: TcpListener, socket: &Utf8Path, sky: watch::Receiver<Weather>) {
    loop {
        if let Ok((outer, _)) = listener.accept().await {
            let (socket, sky) = (socket.to_owned(), sky.clone());
            tokio::spawn(async move {
                if let Ok(inner) = UnixStream::connect(socket.as_std_path()).await {
                    carry(outer, inner, sky).await;
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
                    // A connection that breaks is the client's to see.
                    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    }
}

/// Carries what comes on a connection both ways, until it ends or the weather ends it.
async fn carry(mut outer: TcpStream, mut inner: UnixStream, sky: watch::Receiver<Weather>) {
    let (from_outer, to_outer) = outer.split();
    let (from_inner, to_inner) = inner.split();
    let both = async { tokio::join!(pump(from_outer, to_inner, &sky), pump(from_inner, to_outer, &sky)) };
    tokio::select! {
        _ = both => {}
        () = ended_by(sky.clone()) => {
            // With nothing to linger for, closing is a reset.
            let _ = rustix::net::sockopt::set_socket_linger(&outer, Some(Duration::ZERO));
        }
    }
}

/// Ends when the weather ends a connection that begins now.
async fn ended_by(mut sky: watch::Receiver<Weather>) {
    loop {
        let weather = *sky.borrow_and_update();
        let life = async {
            match weather {
                Weather::CutOff => {}
                Weather::Resets => aiconform_wait::pause(LIFE).await,
                Weather::Fine | Weather::Stalls | Weather::Delays => std::future::pending().await,
            }
        };
        tokio::select! {
            () = life => return,
            changed = sky.changed() => if changed.is_err() { std::future::pending::<()>().await },
        }
    }
}

/// Carries what comes one way; what is on its way does not keep back what comes after it.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    sky: &watch::Receiver<Weather>,
) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let begin = Instant::now();
    let taking = async move {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if sender.send((Instant::now(), bytes[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    // Ends what is taken too, once nobody takes it from here.
    let giving = async move {
        while let Some((came, bytes)) = receiver.recv().await {
            let weather = *sky.borrow();
            aiconform_wait::pause(held(weather, came.elapsed(), begin.elapsed())).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(taking, giving);
}

/// Time for which something is still held back in that weather that came so long ago, on a connection of that age.
fn held(weather: Weather, ago: Duration, age: Duration) -> Duration {
    match weather {
        Weather::Delays => DELAY.saturating_sub(ago),
        Weather::Stalls => {
            let (each, still) = STALL;
            let into = age.as_secs() % each;
            Duration::from_secs(if into >= each - still { each - into } else { 0 })
        }
        Weather::Fine | Weather::Resets | Weather::CutOff => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    /// A way to something that sends back what comes, with its weather; gives the port on the host's side.
    async fn way(weather: Weather) -> (tempfile::TempDir, u16, watch::Sender<Weather>) {
        let folder = tempfile::tempdir().unwrap();
        let socket = Utf8PathBuf::from_path_buf(folder.path().join("api.sock")).unwrap();
        let inner = UnixListener::bind(socket.as_std_path()).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = inner.accept().await {
                let (mut from, mut to) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, receiver) = watch::channel(weather);
        tokio::spawn(async move { host_side(listener, &socket, receiver).await });
        (folder, port, sender)
    }

    async fn echoed(stream: &mut TcpStream) -> std::io::Result<()> {
        stream.write_all(b"there").await?;
        let mut back = [0; 5];
        stream.read_exact(&mut back).await.map(drop)
    }

    #[tokio::test]
    async fn fine_weather_carries_both_ways_and_ends_with_the_connection() {
        let (_folder, port, _sky) = way(Weather::Fine).await;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        echoed(&mut stream).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_open_connection_is_reset_when_the_way_is_cut_off_and_new_ones_are_when_it_is_over() {
        let (_folder, port, sky) = way(Weather::Fine).await;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        echoed(&mut stream).await.unwrap();
        sky.send_replace(Weather::CutOff);
        let error = stream.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let mut next = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        assert!(echoed(&mut next).await.is_err());
        sky.send_replace(Weather::Fine);
        let mut next = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        echoed(&mut next).await.unwrap();
    }

    #[tokio::test]
    async fn a_long_way_takes_its_time_both_ways() {
        let (_folder, port, _sky) = way(Weather::Delays).await;
        let begin = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        echoed(&mut stream).await.unwrap();
        assert!(begin.elapsed() >= DELAY * 2);
    }

    #[test]
    fn a_way_stalls_at_the_end_of_each_of_its_times() {
        let held_at = |seconds| held(Weather::Stalls, Duration::ZERO, Duration::from_secs(seconds)).as_secs();
        assert_eq!([0, 19, 20, 25, 30, 51].map(held_at), [0, 0, 10, 5, 0, 9]);
        assert_eq!(held(Weather::Fine, Duration::ZERO, Duration::from_secs(25)), Duration::ZERO);
    }

    #[tokio::test]
    async fn news_of_the_weather_have_come_true_when_they_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let state = Utf8PathBuf::from_path_buf(folder.path().into()).unwrap();
        let (sender, receiver) = watch::channel(Weather::Fine);
        let (own, listens) = (state.clone(), state.join(SOCKET));
        tokio::spawn(async move { forecasts(&own, sender).await });
        while !listens.exists() {
            tokio::task::yield_now().await;
        }
        change(&state, Weather::Stalls).await.unwrap();
        assert_eq!(*receiver.borrow(), Weather::Stalls);
    }
}
