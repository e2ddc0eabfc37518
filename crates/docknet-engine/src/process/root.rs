//! The files that a program sees in the place of the host's: those of an image, and what belongs into every container.

use std::ffi::{CStr, CString};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown, symlink,
};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags, open, statvfs};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount,
    mount_bind, mount_remount, move_mount, open_tree, unmount,
};
use rustix::process::{fchdir, pivot_root};
use serde::{Deserialize, Serialize};

use super::launch::{LaunchError, failed};
use crate::core::container::{Mount, Mounted};

/// The root directory of a container of an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Root {
    /// The image's. It stays as it is.
    pub(crate) image: PathBuf,
    /// The container's own directory, for what it changes.
    pub(crate) own: PathBuf,
    pub(crate) read_only: bool,
    /// It sees the host's devices, and nothing of the kernel's is hidden from it.
    pub(crate) privileged: bool,
}

/// Something that is to be seen, and where. It is opened before the host's files go out of sight.
pub(super) struct Prepared<'a> {
    target: &'a Path,
    read_only: bool,
    what: What<'a>,
}

enum What<'a> {
    Tree { tree: OwnedFd, is_dir: bool },
    Memory(&'a str),
    Directory,
}

/// The devices that every program may use.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// What of the kernel's is nobody's business in a container, as OCI runtimes have it.
const HIDDEN_FILES: [&CStr; 7] = [
    c"/proc/interrupts",
    c"/proc/kcore",
    c"/proc/keys",
    c"/proc/latency_stats",
    c"/proc/timer_list",
    c"/proc/timer_stats",
    c"/proc/sched_debug",
];
const HIDDEN_DIRECTORIES: [&CStr; 5] = [
    c"/proc/acpi",
    c"/proc/asound",
    c"/proc/scsi",
    c"/sys/firmware",
    c"/sys/devices/virtual/powercap",
];
/// What may be read there, and not written.
const READ_ONLY: [&CStr; 5] =
    [c"/proc/bus", c"/proc/fs", c"/proc/irq", c"/proc/sys", c"/proc/sysrq-trigger"];

/// Opens what of the host's files is to be seen in other places.
pub(super) fn prepare<'a>(
    files: &'a [(PathBuf, PathBuf)],
    mounts: &'a [Mount],
) -> Result<Vec<Prepared<'a>>, LaunchError> {
    let opened = |source: &Path| {
        let tree = tree(source);
        tree.map_err(failed(format_args!("opening {} for the container", source.display())))
    };
    let mut all = Vec::new();
    for mount in mounts {
        let what = match &mount.what {
            Mounted::Host { path, may_be_made } => {
                let path = Path::new(path);
                if !path.exists() {
                    if !may_be_made {
                        return Err(LaunchError::Io(format!(
                            "invalid mount config for type \"bind\": bind source path does not exist: {}",
                            path.display()
                        )));
                    }
                    fs::create_dir_all(path)
                        .map_err(failed(format_args!("making {}", path.display())))?;
                }
                What::Tree { tree: opened(path)?, is_dir: path.is_dir() }
            }
            Mounted::Memory(options) => What::Memory(options),
            Mounted::Own => What::Directory,
        };
        all.push(Prepared { target: Path::new(&mount.target), read_only: mount.read_only, what });
    }
    for (source, target) in files {
        // Somebody's own file in its place comes first.
        if all.iter().all(|prepared| prepared.target != target) {
            let what = What::Tree { tree: opened(source)?, is_dir: false };
            all.push(Prepared { target, read_only: false, what });
        }
    }
    Ok(all)
}

/// The calling thread, in a mount namespace of its own, has the container's files for the host's. The host's are still there,
/// beneath, until the first process drops them by what is returned: the kernel wants to see a whole /proc before it gives
/// another one.
pub(super) fn enter(root: &Root) -> Result<OwnedFd, LaunchError> {
    let devices = match root.privileged {
        true => vec![(String::new(), tree(Path::new("/dev")).map_err(failed("opening /dev"))?)],
        false => DEVICES
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), tree(&Path::new("/dev").join(name)).ok()?)))
            .collect(),
    };
    let host = open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(failed("opening the host's root directory"))?;
    let over =
        overlay(root).map_err(failed("putting the image's files and the container's together"))?;
    let place = root.own.join("root");
    let entered = || -> io::Result<()> {
        attach(&over, &place)?;
        std::env::set_current_dir(&place)?;
        pivot_root(".", ".")?;
        std::env::set_current_dir("/")
    };
    entered().map_err(failed("entering the container's root directory"))?;
    furnish(&devices, root.privileged).map_err(failed("making /dev"))?;
    for directory in ["/proc", "/sys"] {
        fs::create_dir_all(directory).map_err(failed(format_args!("making {directory}")))?;
    }
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if !root.privileged {
        flags |= MountFlags::RDONLY;
    }
    if let Err(error) = mount("sysfs", "/sys", "sysfs", flags, None) {
        tracing::debug!(%error, "the container has no /sys");
    }
    Ok(host)
}

/// Lets what was prepared be seen. Where the files are the host's own, nothing is made for it.
pub(super) fn place(prepared: &[Prepared<'_>], makes: bool) -> Result<(), LaunchError> {
    for one in prepared {
        let target = one.target;
        if !makes && !target.exists() {
            tracing::debug!(target = %target.display(), "the host has no such place, nor has the container");
            continue;
        }
        place_one(one).map_err(failed(format_args!("mounting {}", target.display())))?;
    }
    Ok(())
}

fn place_one(one: &Prepared<'_>) -> io::Result<()> {
    let target = one.target;
    match &one.what {
        What::Directory => return fs::create_dir_all(target),
        What::Memory(options) => {
            fs::create_dir_all(target)?;
            let (flags, data) = options_of(options);
            mount("tmpfs", target, "tmpfs", flags, CString::new(data)?.as_c_str())?;
        }
        What::Tree { tree, is_dir } => {
            match is_dir {
                true => fs::create_dir_all(target)?,
                false => make_file(target)?,
            }
            attach(tree, target)?;
        }
    }
    if one.read_only {
        // What else was forbidden there stays forbidden.
        let has = statvfs(target)?.f_flag;
        let kept = [
            (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
            (StatVfsMountFlags::NODEV, MountFlags::NODEV),
            (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        ];
        let kept = kept.into_iter().filter(|(flag, _)| has.contains(*flag));
        let flags = kept.fold(MountFlags::BIND | MountFlags::RDONLY, |all, (_, flag)| all | flag);
        mount_remount(target, flags, "")?;
    }
    Ok(())
}

/// A file to mount another one over.
fn make_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    // An image may have a link there that leads nowhere.
    let _ = fs::remove_file(path);
    File::create(path).map(drop)
}

/// The image's files with the container's own over them, nowhere yet.
fn overlay(root: &Root) -> io::Result<OwnedFd> {
    let [upper, work, place] = ["upper", "work", "root"].map(|name| root.own.join(name));
    for dir in [&root.own, &work, &place] {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    if !upper.exists() {
        // What is seen of the root directory itself is of the upper one.
        let image = fs::metadata(&root.image)?;
        fs::create_dir(&upper)?;
        chown(&upper, Some(image.uid()), Some(image.gid()))?;
        fs::set_permissions(&upper, Permissions::from_mode(image.mode()))?;
    }
    let opened = [&root.image, &upper, &work]
        .map(|dir| open(dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()));
    let [lower, upper, work] = opened;
    let layers = [("lowerdir", lower?), ("upperdir", upper?), ("workdir", work?)];
    let kind = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, dir) in &layers {
        // Not the path, in which some signs have a meaning.
        fsconfig_set_string(&kind, *key, format!("/proc/self/fd/{}", dir.as_raw_fd()))?;
    }
    if in_a_user_namespace() {
        fsconfig_set_flag(&kind, "userxattr")?;
    }
    fsconfig_create(&kind)?;
    let flags = MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(&kind, FsMountFlags::FSMOUNT_CLOEXEC, flags)?)
}

fn in_a_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().ne(["0", "0", "4294967295"])
}

/// `/dev`, with terminals and shared memory of its own.
fn furnish(devices: &[(String, OwnedFd)], privileged: bool) -> io::Result<()> {
    let dev = Path::new("/dev");
    fs::create_dir_all(dev)?;
    if privileged {
        return devices.iter().try_for_each(|(_, all)| attach(all, dev));
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", dev, "tmpfs", flags | MountFlags::NOEXEC, c"mode=755,size=64k")?;
    for (name, device) in devices {
        let path = dev.join(name);
        File::create(&path)?;
        attach(device, &path)?;
    }
    for (name, to) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(to, dev.join(name))?;
    }
    let terminals = dev.join("pts");
    fs::create_dir(&terminals)?;
    let options = c"newinstance,ptmxmode=0666,mode=0620";
    mount("devpts", &terminals, "devpts", MountFlags::NOSUID | MountFlags::NOEXEC, options)?;
    let shared = dev.join("shm");
    fs::create_dir(&shared)?;
    mount("shm", &shared, "tmpfs", flags | MountFlags::NOEXEC, c"mode=1777,size=64m")?;
    let queues = dev.join("mqueue");
    fs::create_dir(&queues)?;
    if let Err(error) = mount("mqueue", &queues, "mqueue", flags | MountFlags::NOEXEC, None) {
        tracing::debug!(%error, "the container has no message queues");
    }
    Ok(())
}

/// What is at a path, and all that is mounted below it, nowhere yet.
pub(super) fn tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(CWD, path, flags)?)
}

pub(super) fn attach(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    // As a container has it: a link leads to where it leads there.
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    Ok(move_mount(tree, "", CWD, target, flags)?)
}

/// Options as mount(8) has them: flags, and what is for the file system. Docker's defaults are the cautious ones.
fn options_of(options: &str) -> (MountFlags, String) {
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let mut data = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => flags |= MountFlags::RDONLY,
            "rw" => flags -= MountFlags::RDONLY,
            "exec" => flags -= MountFlags::NOEXEC,
            "noexec" => flags |= MountFlags::NOEXEC,
            "suid" => flags -= MountFlags::NOSUID,
            "nosuid" => flags |= MountFlags::NOSUID,
            "dev" => flags -= MountFlags::NODEV,
            "nodev" => flags |= MountFlags::NODEV,
            other => data.push(other),
        }
    }
    (flags, data.join(","))
}

/// The host's files go, for good: the first process does this, between fork and exec, when it has its /proc.
pub(super) fn leave_host(host: &OwnedFd, root: Sealed) -> Result<(), Errno> {
    let here = open(c".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    fchdir(host)?;
    unmount(c".", UnmountFlags::DETACH)?;
    fchdir(&here)?;
    if root.hides {
        hide()?;
    }
    if root.read_only {
        mount_remount(c"/", MountFlags::BIND | MountFlags::RDONLY | MountFlags::NODEV, c"")?;
    }
    Ok(())
}

/// What is left to be done when all is in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) hides: bool,
    pub(super) read_only: bool,
}

fn hide() -> Result<(), Errno> {
    let there = |result: Result<(), Errno>| match result {
        // Not every kernel has all of it.
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        other => other,
    };
    for file in HIDDEN_FILES {
        there(mount_bind(c"/dev/null", file))?;
    }
    for directory in HIDDEN_DIRECTORIES {
        there(mount(c"tmpfs", directory, c"tmpfs", MountFlags::RDONLY, c"size=0"))?;
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    for path in READ_ONLY {
        let bound = mount_bind(path, path)
            .and_then(|()| mount_remount(path, flags | MountFlags::BIND | MountFlags::RDONLY, c""));
        there(bound)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_mounted_with_care_unless_asked_otherwise() {
        let careful = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        assert_eq!(options_of(""), (careful, String::new()));
        let (flags, data) = options_of("size=1m,exec,mode=700,ro");
        assert_eq!(flags, MountFlags::NOSUID | MountFlags::NODEV | MountFlags::RDONLY);
        assert_eq!(data, "size=1m,mode=700");
    }
}
