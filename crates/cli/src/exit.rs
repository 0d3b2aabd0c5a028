//! Exit codes of the program. Of several that fit, the first of 130, 3, 1, 4, 5, 0 counts.

use std::process::ExitCode;

/// Exit of the program; one place for the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: all selected MUSTs passed or not applicable; or the command did what was asked.
    Success,
    /// 1: a MUST failed, a submission is invalid, or a comparison found a regression.
    Failed,
    /// 2: the command line or a file given on it is wrong.
    Usage,
    /// 3: the program could not do its work.
    CouldNotRun,
    /// 4: a selected MUST is inconclusive or was not run.
    Inconclusive,
    /// 5: everything would be a success, but something of the run is still in the cluster.
    Unfinished,
    /// Exit code of a command that was run for the user.
    Of(u8),
    /// 130: interrupted, after cleaning up.
    Interrupted,
}

/// An error that is the user's to correct on the command line or in a file: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl Exit {
    /// The number for the shell.
    pub fn number(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::CouldNotRun => 3,
            Exit::Inconclusive => 4,
            Exit::Unfinished => 5,
            Exit::Of(code) => code,
            Exit::Interrupted => 130,
        }
    }

    /// The number as the type `main` returns.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The exit of a run or clean-up that left these things. Only success becomes another code by it: whoever takes 5
    /// for a success whose clean-up is late must never be shown a failure so.
    pub fn leaving(self, left: &[String]) -> Exit {
        if self == Exit::Success && !left.is_empty() { Exit::Unfinished } else { self }
    }

    /// The exit for an error that ended a command.
    pub fn of(error: &anyhow::Error) -> Exit {
        if error.downcast_ref::<UsageError>().is_some() { Exit::Usage } else { Exit::CouldNotRun }
    }

    /// Prints the error with its causes to stderr and gives the exit code.
    pub fn explain(self, error: &anyhow::Error) -> ExitCode {
        anstream::eprintln!("error: {error}");
        let mut told = error.to_string();
        for cause in error.chain().skip(1) {
            let cause = cause.to_string();
            if !told.contains(&cause) {
                anstream::eprintln!("  because: {cause}");
                told.push_str(&cause);
            }
        }
        self.code()
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn what_is_left_never_hides_a_verdict() {
        let left = ["Namespace a".to_owned()];
        let codes = |exits: [Exit; 4], left: &[String]| exits.map(|exit| exit.leaving(left).number());
        let exits = [Exit::Success, Exit::Failed, Exit::Inconclusive, Exit::Interrupted];
        assert_eq!(codes(exits, &left), [5, 1, 4, 130]);
        assert_eq!(codes(exits, &[]), [0, 1, 4, 130]);
    }
}
