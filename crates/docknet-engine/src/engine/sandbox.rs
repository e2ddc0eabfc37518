//! Programs of a test's own in the namespaces of containers.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::process::{Child, Command, ExitStatus, Output};
use std::sync::Arc;

use crate::plane::{Leaving, Namespace};

/// A network namespace: that of a container, or the one that the networks are in. It stays while this is there, even if the
/// container does not.
#[derive(Debug)]
pub struct Sandbox {
    namespace: Arc<Namespace>,
    leaving: Option<Leaving>,
}

impl Sandbox {
    pub(super) fn new(namespace: Namespace, leaving: Option<Leaving>) -> Self {
        Self { namespace: Arc::new(namespace), leaving }
    }

    pub(super) fn namespace(&self) -> Arc<Namespace> {
        self.namespace.clone()
    }

    /// A program to be run inside. It sees the files and users of this process; only its network is the container's.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> SandboxCommand<'_> {
        SandboxCommand { sandbox: self, command: Command::new(program) }
    }

    /// Does something on a thread that is inside: sockets that it opens stay there, and can be used from anywhere.
    ///
    /// # Errors
    /// If the namespace cannot be entered, or what `work` says.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        if let Some(leaving) = &self.leaving {
            leaving.wait();
        }
        self.namespace.within(work)
    }
}

/// A program to be run inside a [`Sandbox`].
#[derive(Debug)]
pub struct SandboxCommand<'a> {
    sandbox: &'a Sandbox,
    command: Command,
}

impl SandboxCommand<'_> {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Changes what else there is to change: environment, directory, where its output goes.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(mut self) -> io::Result<Child> {
        self.sandbox.within(move || self.command.spawn())
    }

    /// Runs it to its end, and gives what it wrote.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn output(mut self) -> io::Result<Output> {
        self.sandbox.within(move || self.command.output())
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn status(mut self) -> io::Result<ExitStatus> {
        self.sandbox.within(move || self.command.status())
    }
}

/// Why there is no [`Sandbox`] to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxError(String);

impl SandboxError {
    pub(super) fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for SandboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SandboxError {}
