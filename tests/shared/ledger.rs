//! Ledger of the tests that take long: how long each took, for the summary of `./test`.

use std::io::Write;
use std::time::Instant;

/// Time of one test, which is written down when the value goes.
pub struct Timed {
    name: String,
    start: Instant,
}

impl Timed {
    /// Begins now; what is named is something inside the test's function.
    pub fn of<T>(_: &T) -> Timed {
        let name = std::any::type_name::<T>();
        Timed {
            name: name.rsplit_once("::").map_or(name, |(test, _)| test).to_owned(),
            start: Instant::now(),
        }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        write_down(&self.name, self.start.elapsed().as_secs_f64());
    }
}

/// Writes seconds down, where anybody keeps a ledger.
pub fn write_down(name: &str, seconds: f64) {
    let Some(path) = std::env::var_os("AICONFORM_LEDGER") else { return };
    // One write, because tests go side by side.
    let line = format!("{seconds:.1}\t{name}\n");
    if let Ok(mut file) = std::fs::File::options().create(true).append(true).open(path) {
        let _ = file.write_all(line.as_bytes());
    }
}

/// Times the test in whose function it stands.
macro_rules! timed {
    () => {
        let _timed = {
            fn here() {}
            crate::ledger::Timed::of(&here)
        };
    };
}
pub(crate) use timed;
