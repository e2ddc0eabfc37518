//! The namespaces of a container, entered by a thread that then starts a program in them.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::umask;
use rustix::system::sethostname;
use rustix::thread::{
    LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags, move_into_link_name_space,
    move_into_thread_name_spaces,
};

use super::launch::{Launch, LaunchError, failed};
use super::root;

const CGROUPS: &str = "/sys/fs/cgroup";

/// The calling thread enters new namespaces and furnishes them. What it forks is the first process there, and has to leave the
/// host's files, if it is to see others.
pub(super) fn enter_new(launch: &Launch) -> Result<Option<OwnedFd>, LaunchError> {
    let network = launch.network.as_ref().ok_or(io::ErrorKind::InvalidInput);
    let network = network.map_err(failed("finding the network namespace"))?;
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(failed("entering the network namespace"))?;
    let flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC | UnshareFlags::NEWPID;
    unshare(flags).map_err(failed("making namespaces"))?;
    // What is made for the container is not for the engine only. The mask is this thread's own by now.
    umask(Mode::WGRP | Mode::WOTH);
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(failed("keeping the mounts to the container"))?;
    if let Some(hostname) = &launch.hostname {
        sethostname(hostname.as_bytes())
            .map_err(failed(format_args!("setting the hostname {hostname:?}")))?;
    }
    for (key, value) in &launch.sysctls {
        set(key, value)?;
    }
    let prepared = root::prepare(&launch.files, &launch.mounts)?;
    let host = launch.root.as_ref().map(root::enter).transpose()?;
    root::place(&prepared, host.is_some())?;
    if host.is_none()
        && let Err(error) = mount_sys()
    {
        tracing::debug!(%error, "the container sees /sys as it was");
    }
    Ok(host)
}

/// The calling thread enters those of another process. What it forks is beside that process.
pub(super) fn enter(process: BorrowedFd<'_>) -> Result<(), LaunchError> {
    // The mount namespace is not entered while other threads share this one's working directory.
    unshare(UnshareFlags::FS).map_err(failed("leaving the engine's working directory"))?;
    let all = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::NETWORK
        | ThreadNameSpaceType::PROCESS_ID;
    move_into_thread_name_spaces(process, all)
        .map_err(failed("entering the namespaces of the container"))
}

/// So that the links in it are the container's. The control groups stay.
fn mount_sys() -> io::Result<()> {
    let cgroups = root::tree(Path::new(CGROUPS));
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("sysfs", "/sys", "sysfs", flags, None)?;
    if let Ok(cgroups) = cgroups {
        root::attach(&cgroups, Path::new(CGROUPS))?;
    }
    Ok(())
}

fn set(key: &str, value: &OsString) -> Result<(), LaunchError> {
    let Some(path) = sysctl_path(key) else {
        return Err(LaunchError::Io(format!("{key:?} is not the name of a sysctl")));
    };
    fs::write(path, value.as_encoded_bytes())
        .map_err(failed(format_args!("setting the sysctl {key:?}")))
}

/// As sysctl(8) has it: after a first dot, dots and slashes are swapped.
fn sysctl_path(key: &str) -> Option<PathBuf> {
    let swaps = key.find(['.', '/']).is_some_and(|at| key.get(at..=at) == Some("."));
    let swap = |char| match char {
        '.' if swaps => '/',
        '/' if swaps => '.',
        other => other,
    };
    let relative: String = key.chars().map(swap).collect();
    let valid = relative.split('/').all(|part| !matches!(part, "" | "." | ".."));
    valid.then(|| Path::new("/proc/sys").join(relative))
}

#[expect(
    unsafe_code,
    reason = "the one system call here that can break what Rust promises, if its flags are others"
)]
pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: only with CLONE_FILES could this thread lose descriptors that others hold for it.
    unsafe { rustix::thread::unshare_unsafe(flags.difference(UnshareFlags::FILES)) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sysctls_are_paths_below_proc_sys() {
        let path = |key| sysctl_path(key).map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(path("net.ipv4.ip_forward").unwrap(), "/proc/sys/net/ipv4/ip_forward");
        assert_eq!(path("net/ipv4/conf/eth0.7/arp").unwrap(), "/proc/sys/net/ipv4/conf/eth0.7/arp");
        assert_eq!(path("net.ipv4.conf.eth0/7.arp").unwrap(), "/proc/sys/net/ipv4/conf/eth0.7/arp");
        for escape in ["", "..", "net/../../self/mem", ".etc", "net..ipv4", "net.//"] {
            assert_eq!(path(escape), None, "{escape}");
        }
    }
}
