//! Orders to a lab that stands, to break and to heal: a command writes one line of JSON into a socket of the
//! state folder, the lab's first process, which alone can swap what runs there, answers with another.

use crate::breakage::{Breakage, Mechanism};
use crate::breaking::Inside;
use crate::error::LabError;
use crate::state::Status;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Name of the socket in the state folder.
const SOCKET: &str = "control.sock";

/// Order of a command.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Order {
    Break(Vec<Breakage>),
    Heal,
}

/// Answer to it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Done,
    Failed(String),
}

/// Takes orders from now on.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(lab: &Status) -> Result<UnixListener, LabError> {
    Ok(UnixListener::bind(lab.state.join(SOCKET).as_std_path())?)
}

/// Does what one command asks for, and tells it how that ended.
pub async fn serve(stream: UnixStream, inside: &mut Inside) {
    let (reader, mut writer) = stream.into_split();
    let Ok(Some(line)) = BufReader::new(reader).lines().next_line().await else { return };
    let done = match serde_json::from_str(&line) {
        Ok(Order::Break(breakages)) => inside.break_it(&breakages).await,
        Ok(Order::Heal) => inside.heal().await,
        Err(error) => Err(LabError::State(inside.lab.state.join(SOCKET), error)),
    };
    let answer = done.map_or_else(|error| Answer::Failed(error.to_string()), |()| Answer::Done);
    if let Ok(line) = serde_json::to_string(&answer) {
        // A command that has gone away learns it from `lab status`.
        let _ = writer.write_all(format!("{line}\n").as_bytes()).await;
    }
}

/// Breaks a lab that stands, and waits until it is broken.
///
/// # Errors
/// When there is none, or it needs a lab from birth or with another part; when it does not come into force, and then the
/// lab is to be healed, or ended.
pub async fn break_lab(name: &str, breakages: &[Breakage]) -> Result<(), LabError> {
    let lab = crate::up::status(name)?;
    for breakage in breakages {
        refuse(&lab, *breakage)?;
    }
    order(name, &Order::Break(breakages.to_vec())).await
}

/// Refuses what a lab that stands cannot be broken by.
fn refuse(lab: &Status, breakage: Breakage) -> Result<(), LabError> {
    let name = breakage.name();
    if breakage.is_of_birth() {
        return Err(LabError::Refused(format!(
            "{name} changes the API server, which a lab has from birth: start one with `aiconform lab up --break {name}`"
        )));
    }
    if let Some(part) = breakage.part().filter(|part| !lab.parts.contains(part)) {
        let part = part.name();
        return Err(LabError::Refused(format!(
            "{name} is about {part}, which the lab {} has not: start one with `aiconform lab up --with {part}`",
            lab.name
        )));
    }
    refuse_on_one_node(lab.nodes.len(), breakage)
}

/// Refuses what a lab with so few nodes cannot be broken by.
///
/// # Errors
/// When the breakage is about another node than the only one.
pub fn refuse_on_one_node(nodes: usize, breakage: Breakage) -> Result<(), LabError> {
    if breakage.mechanisms().contains(&Mechanism::NodeLost) && nodes == 1 {
        return Err(LabError::Refused(format!(
            "{} needs a lab of several nodes: start one with `aiconform lab up --nodes 2`",
            breakage.name()
        )));
    }
    Ok(())
}

/// Heals a lab that stands, and waits until it is healed.
///
/// # Errors
/// When there is none, or something of it stays broken, because it has that from birth or otherwise.
pub async fn heal(name: &str) -> Result<(), LabError> {
    order(name, &Order::Heal).await?;
    match crate::up::status(name)?.breakages.first() {
        Some(born) => Err(LabError::Refused(format!(
            "the lab {name} has {} from birth, and it cannot be healed: end it with `aiconform lab --name {name} down`",
            born.name()
        ))),
        None => Ok(()),
    }
}

async fn order(name: &str, order: &Order) -> Result<(), LabError> {
    let status = crate::up::status(name)?;
    let socket = status.state.join(SOCKET);
    let failed = |error: std::io::Error| LabError::Unreachable(name.into(), error.to_string());
    let mut stream = UnixStream::connect(socket.as_std_path()).await.map_err(failed)?;
    let line = serde_json::to_string(order).map_err(|error| LabError::State(socket.clone(), error))?;
    stream.write_all(format!("{line}\n").as_bytes()).await.map_err(failed)?;
    let answer = BufReader::new(stream).lines().next_line().await.map_err(failed)?;
    let answer = answer.ok_or_else(|| LabError::Unreachable(name.into(), "it went away".into()))?;
    match serde_json::from_str(&answer).map_err(|error| LabError::State(socket, error))? {
        Answer::Done => Ok(()),
        Answer::Failed(why) => Err(LabError::Order(name.into(), why)),
    }
}
