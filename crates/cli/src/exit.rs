//! Exit codes of the program (design: precedence 130, 3, 1, 4, 0).

use std::process::ExitCode;

/// How the program ends; one place for the numbers.
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
    /// What a command that was run for the user ended with.
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
            Exit::Of(code) => code,
            Exit::Interrupted => 130,
        }
    }

    /// The number as the type `main` returns.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.number())
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
