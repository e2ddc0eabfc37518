//! Programs of containers: what of a decision the kernel is asked to run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use docknet_types::ContainerId;
use rustix::thread::CapabilitySet;

use super::namespace::Namespace;
use super::{PlaneError, cannot};
use crate::core::container::{Capabilities, Command, Files, Program, Root};
use crate::core::step::Outlook;
use crate::dns::{Families, Hosts, Overrides, Resolv, split_extra_host};
use crate::images::Images;
use crate::open_files::limit_before;
use crate::process::{self, DEFAULT_CAPABILITIES, Launch, LaunchError, Processes, Size, Stdio};

/// The programs of this engine's containers.
#[derive(Debug)]
pub(crate) struct Programs {
    processes: Arc<Processes>,
    /// Where files are that containers see in the place of the host's.
    images: Arc<Images>,
    /// What each container was last told to run.
    told: BTreeMap<ContainerId, Program>,
}

const HOST_RESOLV: &str = "/etc/resolv.conf";
/// What this kernel has.
static FAMILIES: LazyLock<Families> =
    LazyLock::new(|| match Path::new("/proc/sys/net/ipv6").exists() {
        true => Families::Both,
        false => Families::Ipv4,
    });
/// Before a terminal tells its size.
const TERMINAL: Size = Size { rows: 24, columns: 80 };

impl Programs {
    pub(crate) fn new(processes: Arc<Processes>, images: Arc<Images>) -> Self {
        Self { processes, images, told: BTreeMap::new() }
    }

    /// Runs a container's program in this namespace.
    pub(crate) fn run(&mut self, program: &Program, network: &Namespace) -> Result<(), PlaneError> {
        let network = network.as_fd().try_clone_to_owned();
        let launch = network.and_then(|network| self.launch(program, network));
        let launch = launch.map_err(|why| cannot("prepare a program", &why))?;
        match self.processes.start_blocking(&program.container, launch) {
            Ok(_) => {
                self.told.insert(program.container.clone(), program.clone());
                Ok(())
            }
            Err(why) => {
                // What it had changed of its files before is there for the next time.
                self.leave(&program.container);
                Err(not_started(&why))
            }
        }
    }

    /// A container runs this already.
    pub(crate) fn remember(&mut self, program: &Program) {
        self.told.insert(program.container.clone(), program.clone());
    }

    pub(crate) fn signal(&self, container: &ContainerId, signal: u8) -> Result<(), PlaneError> {
        match self.processes.signal(container, signal.into()) {
            Err(why) if !is_gone(&why) => Err(cannot("send a signal", &why)),
            _ => Ok(()),
        }
    }

    /// Writes addresses into a container's `/etc/hosts`, and takes others out. What its program wrote there itself stays.
    pub(crate) fn turn(&self, container: &ContainerId, from: &Outlook, to: &Outlook) {
        let Some(program) = self.told.get(container).filter(|_| !to.places.is_empty()) else {
            return;
        };
        if let Err(why) = self.rewrite_hosts(program, from, to) {
            tracing::warn!(%why, %container, "a container's /etc/hosts stays as it is");
        }
    }

    fn rewrite_hosts(&self, program: &Program, from: &Outlook, to: &Outlook) -> io::Result<()> {
        let lines = |outlook: &Outlook| -> Vec<String> {
            let hosts = own_hosts(program);
            let fits = outlook.addresses().filter(|address| hosts.families.fits(*address));
            fits.map(|address| hosts.own_line(address)).collect()
        };
        let (before, after) = (lines(from), lines(to));
        let new = after.iter().filter(|line| !before.contains(line));
        let is_gone = |line: &str| {
            before.iter().any(|gone| gone == line) && !after.iter().any(|stays| stays == line)
        };
        // In its place: what is mounted in the container is this file.
        let path = self.images.container(&program.container).join("hosts");
        let text = process::read_file(&path)?;
        let mut file = File::options().write(true).open(path)?;
        let kept = text.lines().filter(|line| !is_gone(line)).chain(new.map(String::as_str));
        let text: String = kept.map(|line| format!("{line}\n")).collect();
        // Cut off last: to empty a file first takes a file system long, and whoever looks meanwhile would find nothing.
        file.write_all(text.as_bytes())?;
        file.set_len(text.len().try_into().unwrap_or(u64::MAX))
    }

    pub(crate) fn pause(&self, container: &ContainerId) -> Result<(), PlaneError> {
        self.processes.pause(container).map_err(|why| cannot("pause a container", &why))
    }

    pub(crate) fn unpause(&self, container: &ContainerId) -> Result<(), PlaneError> {
        self.processes.unpause(container).map_err(|why| cannot("unpause a container", &why))
    }

    pub(crate) fn forget(&mut self, container: &ContainerId) {
        self.leave(container);
        self.images.forget(container);
    }

    fn leave(&mut self, container: &ContainerId) {
        self.processes.forget(container);
        self.told.remove(container);
    }

    fn launch(&self, program: &Program, network: OwnedFd) -> io::Result<Launch> {
        Ok(Launch {
            program: command(&program.command)?,
            network: Some(network),
            hostname: Some(program.hostname.clone()),
            root: self.root(program),
            mounts: program.mounts.clone(),
            files: self.write_files(program)?,
            sysctls: program
                .sysctls
                .iter()
                .map(|(name, value)| (name.clone(), value.into()))
                .collect(),
        })
    }

    fn root(&self, program: &Program) -> Option<process::Root> {
        match &program.root {
            Root::Host => None,
            Root::Image { id, read_only, privileged } => Some(process::Root {
                image: self.images.root(id),
                own: self.images.container(&program.container),
                read_only: *read_only,
                privileged: *privileged,
            }),
        }
    }

    /// The files by which libraries find names, and where they are to be seen.
    fn write_files(&self, program: &Program) -> io::Result<Vec<(PathBuf, PathBuf)>> {
        let dir = self.images.container(&program.container);
        fs::create_dir_all(&dir)?;
        let texts = [
            ("hosts", hosts(program)),
            ("resolv.conf", resolv_conf(&program.files)?),
            ("hostname", format!("{}\n", program.hostname)),
        ];
        texts
            .into_iter()
            .map(|(name, text)| {
                let path = dir.join(name);
                fs::write(&path, text)?;
                Ok((path, Path::new("/etc").join(name)))
            })
            .collect()
    }
}

/// A command as it is started.
pub(crate) fn command(command: &Command) -> io::Result<process::Program> {
    let stdio = match (command.tty, command.stdin) {
        (true, _) => Stdio::Terminal(TERMINAL),
        (false, stdin) => Stdio::Pipes { stdin },
    };
    let env = command.env.iter().map(|(name, value)| (name.into(), value.into()));
    Ok(process::Program {
        arguments: command.words.iter().map(OsString::from).collect(),
        env: env.collect(),
        cwd: PathBuf::from(&command.directory),
        user: Some(command.user.clone()),
        capabilities: capabilities(&command.capabilities)?,
        filtered: command.confinement.filtered,
        no_new_privileges: command.confinement.no_new_privileges,
        open_files: limit_before().map(|limit| (limit.current, limit.maximum)),
        stdio,
    })
}

/// In words that clients know: the docker CLI tells from them that there is no such program.
pub(crate) fn not_started(why: &LaunchError) -> PlaneError {
    PlaneError {
        words: format!(
            "failed to create task for container: unable to start container process: {why}"
        ),
        status: match why {
            LaunchError::NotFound(_) | LaunchError::NotExecutable(_) => 400,
            LaunchError::Io(_) => 500,
        },
    }
}

fn is_gone(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::NotFound
        || rustix::io::Errno::from_io_error(why) == Some(rustix::io::Errno::SRCH)
}

fn capabilities(asked: &Capabilities) -> io::Result<CapabilitySet> {
    let named = |names: &[String]| {
        names.iter().try_fold(CapabilitySet::empty(), |all, name| {
            let upper = name.to_uppercase();
            let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
            let one = match short {
                "ALL" => Some(CapabilitySet::all()),
                short => CapabilitySet::from_name(short),
            };
            one.map(|one| all | one).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("no capability {name:?}"))
            })
        })
    };
    if asked.all {
        return Ok(CapabilitySet::all());
    }
    let dropped = named(&asked.dropped)?;
    Ok((DEFAULT_CAPABILITIES - dropped) | (named(&asked.added)? - dropped))
}

fn hosts(program: &Program) -> String {
    let extra = program.files.extra_hosts.iter();
    let extra: Vec<(String, IpAddr)> = extra
        .filter_map(|line| {
            let (name, address) = split_extra_host(line)?;
            Some((name.to_owned(), address.parse().ok()?))
        })
        .collect();
    Hosts { addresses: &program.files.addresses, extra: &extra, ..own_hosts(program) }.text()
}

/// Its names, without an address.
fn own_hosts(program: &Program) -> Hosts<'_> {
    Hosts {
        hostname: &program.hostname,
        domain: program.domain.as_deref(),
        families: *FAMILIES,
        ..Hosts::default()
    }
}

fn resolv_conf(files: &Files) -> io::Result<String> {
    let host = fs::read_to_string(HOST_RESOLV).unwrap_or_default();
    let nameservers: Vec<IpAddr> = files.dns.iter().filter_map(|text| text.parse().ok()).collect();
    let overrides =
        Overrides { nameservers: &nameservers, search: &files.search, options: &files.options };
    if files.resolved {
        return Ok(Resolv::parse(&host, super::resolver::link).with(&overrides).for_container());
    }
    // Where nobody looks for names of containers, the host's own file will do.
    if nameservers.is_empty() {
        return Ok(host);
    }
    Ok(nameservers.iter().map(|server| format!("nameserver {server}\n")).collect())
}
