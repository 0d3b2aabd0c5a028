//! Labs of these tests: one of each kind for every test that runs at a time, handed on to the next, and gone with the
//! tests, whatever ends them.

use super::ledger::write_down;
use super::{program, read, run, works};
use serde_json::Value;
use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Labs that no test has.
static FREE: Mutex<Vec<Standing>> = Mutex::new(Vec::new());
/// Labs that may stand with nobody at them: even so one takes a part of a processor, and of the watches on files that a host has.
const IDLE: usize = 1;
/// Labs that were started.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A lab that stands as long as these tests run.
struct Standing {
    with: &'static str,
    name: String,
    kubeconfig: String,
    /// What takes it down when its standard input ends.
    keeper: Child,
}

impl Standing {
    fn up(with: &'static str) -> Standing {
        let name = format!("tests{}x{}", STARTED.fetch_add(1, Ordering::Relaxed), std::process::id());
        // Before the lab, so that a start that fails is cleaned up too; a group of its own, so that Ctrl-C does not reach it.
        let mut keeper = Command::new("sh");
        keeper.args(["-c", "cat >/dev/null; exec \"$0\" lab --name \"$1\" down"]);
        keeper.arg(program().get_program()).arg(&name);
        let keeper = keeper
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        let flags: Vec<&str> =
            ["lab", "--name", &name, "up", "--with"].into_iter().chain(with.split(' ')).collect();
        let kubeconfig = works(&flags).trim().to_owned();
        write_down(&format!("lab up ({with})"), start.elapsed().as_secs_f64());
        Standing { with, name, kubeconfig, keeper }
    }

    fn down(mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A lab that one test has by itself. It is handed on as it was: the test sees to what it made, but for its role.
pub struct Lab {
    pub kubeconfig: String,
    pub name: String,
    /// Role that is taken back, if the test had one.
    role: RefCell<Option<tempfile::NamedTempFile>>,
    standing: Option<Standing>,
    is_spoilt: bool,
}

impl Lab {
    /// A lab with what is quick to have.
    pub fn up() -> Lab {
        Lab::with("kueue")
    }

    /// A lab with these parts, and what flags are named behind them.
    pub fn with(parts: &'static str) -> Lab {
        let (free, others) = {
            let mut free = FREE.lock().unwrap();
            let place = free.iter().position(|lab| lab.with == parts);
            let found = place.map(|place| free.remove(place));
            let many = free.len().saturating_sub(IDLE);
            // The longest that nobody wanted go first.
            (found, free.drain(..many).collect::<Vec<_>>())
        };
        others.into_iter().for_each(Standing::down);
        let standing = free.unwrap_or_else(|| Standing::up(parts));
        let (kubeconfig, name) = (standing.kubeconfig.clone(), standing.name.clone());
        Lab { kubeconfig, name, role: None.into(), standing: Some(standing), is_spoilt: false }
    }

    /// A lab that nobody gets afterwards, because the test changes what cannot be put back, or because it is the only one that
    /// wants it.
    pub fn to_be_spoilt(parts: &'static str) -> Lab {
        let mut lab = Lab::with(parts);
        lab.is_spoilt = true;
        lab
    }

    /// A kubeconfig of a ServiceAccount that may do what the role says that is printed for these flags, and no more.
    pub fn with_role(&self, directory: &Path, flags: &[&str]) -> String {
        self.with_role_in("default", directory, flags)
    }

    /// Like [`with_role`](Lab::with_role), of a ServiceAccount in this namespace.
    pub fn with_role_in(&self, namespace: &str, directory: &Path, flags: &[&str]) -> String {
        let role = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&role, works(&[&["rbac"], flags].concat())).unwrap();
        self.kubectl(&["apply", "-f", role.path().to_str().unwrap()]);
        self.role.replace(Some(role));
        let token = self.kubectl(&["-n", namespace, "create", "token", "aiconform"]);
        // The administrator's kubeconfig, with the ServiceAccount's token instead of a certificate.
        let mut config: Value = serde_json::from_str(&read(Path::new(&self.kubeconfig))).unwrap();
        config["users"][0]["user"] = serde_json::json!({"token": token.trim()});
        let kubeconfig = directory.join("kubeconfig");
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        kubeconfig.to_str().unwrap().to_owned()
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        works(&[&["lab", "--name", &self.name, "exec", "--", "kubectl"], arguments].concat())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Some(standing) = self.standing.take() else { return };
        let role = self.role.take();
        // What a failed test leaves is not looked at: nobody gets this lab.
        let is_as_it_was = !self.is_spoilt
            && !std::thread::panicking()
            && role.as_ref().is_none_or(|role| {
                let path = role.path().to_str().unwrap_or_default();
                let delete = ["delete", "--ignore-not-found", "-f", path];
                let lab = ["lab", "--name", &standing.name, "exec", "--", "kubectl"];
                run(&[&lab[..], &delete].concat()).status.success()
            });
        match FREE.lock() {
            Ok(mut free) if is_as_it_was => free.push(standing),
            _ => standing.down(),
        }
    }
}
