//! Reach of a container to what it must not have.

use super::granted::Nodes;
use super::history::Sight;
use super::known::is_one_device;
use aiconform_model::probe::{Access, Number};
use std::collections::BTreeSet;

/// Reach of a container to what it must not have.
pub enum Reach {
    /// Nothing; with what came of its tries.
    Nothing(String),
    /// A device, or a way to one.
    Something(String),
    /// It cannot be told.
    Open(String),
}

/// Looks in what a container saw and tried for what it may not have; `own` it may have.
pub fn reach(sight: &Sight, forbidden: &Nodes, own: &BTreeSet<Number>) -> Reach {
    let look = &sight.look;
    let (mut denied, mut open) = (Vec::new(), Vec::new());
    let mut take = |access: Access, path: &str, number: String, word: &str| match access {
        Access::Reached => Some(Reach::Something(format!("{path}{number}: {word}"))),
        // Permissions of a file keep out this user, and let in another.
        Access::Hidden => {
            open.push(format!("{path}{number} is there, and its permissions alone ({word}) stand before it"));
            None
        }
        Access::Unclear => {
            open.push(format!("{path}{number}: {word}"));
            None
        }
        Access::Denied | Access::Absent => {
            denied.push(format!("{path} {word}"));
            None
        }
    };
    for seen in look.devices.iter().filter(|seen| !own.contains(&seen.number)) {
        if (forbidden.contains_key(&seen.number) || is_one_device(&seen.path))
            && let Some(found) =
                take(seen.opening.access(), &seen.path, format!(" ({})", seen.number), seen.opening.word())
        {
            return found;
        }
    }
    for tried in look.paths.iter().filter(|tried| !look.devices.iter().any(|seen| seen.path == tried.path)) {
        // Its own sockets are no one else's.
        if !own.is_empty() && look.sockets.contains(&tried.path) {
            continue;
        }
        if let Some(found) = take(tried.opening.access(), &tried.path, String::new(), tried.opening.word()) {
            return found;
        }
    }
    if let Some(socket) = look.sockets.first().filter(|_| own.is_empty()) {
        return Reach::Something(format!("the device's socket {socket} is there"));
    }
    if let Some(why) = open.into_iter().next() {
        return Reach::Open(why);
    }
    let untried = |path: &&String| {
        !look.paths.iter().any(|tried| tried.path == **path)
            && !look.devices.iter().any(|seen| seen.path == **path)
    };
    match forbidden.iter().filter(|(number, _)| !own.contains(number)).map(|(_, path)| path).find(untried) {
        Some(path) => Reach::Open(format!("{path} was not tried")),
        None => Reach::Nothing(if denied.is_empty() {
            "it sees no such device".into()
        } else {
            denied.join(", ")
        }),
    }
}
