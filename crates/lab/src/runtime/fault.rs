//! Faults of the runtime.

/// Handler of containerd by which containers are made: each has a link to a program in the node's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// The one that pods have which name no RuntimeClass.
    Default,
    /// Another one, for the RuntimeClass `accelerated` where there is one.
    Accelerated,
}

impl Handler {
    /// Both of them.
    pub const ALL: [Handler; 2] = [Handler::Default, Handler::Accelerated];

    /// Its name in containerd.
    pub fn name(self) -> &'static str {
        match self {
            Handler::Default => "runc",
            Handler::Accelerated => "accelerated",
        }
    }

    /// Name of the link to its program.
    pub fn link(self) -> &'static str {
        match self {
            Handler::Default => "runtime",
            Handler::Accelerated => "runtime-accelerated",
        }
    }
}

/// Fault of the runtime, in the words of the breakage's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    LeaksToSibling,
    GivesByEnvironment,
    WithoutDeviceCgroup,
    GivesToAll,
    LosesOnRestart,
}
