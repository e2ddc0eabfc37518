//! One root file system per Debian suite, built once; engines lay their changes over it.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::apt;
use super::catalog::Suite;
use super::command::{in_parallel, log_end, run};
use super::lab::{Lab, delete};

#[derive(Debug)]
pub(super) struct Template {
    dir: PathBuf,
}

impl Template {
    /// Where the template of a suite is, or will be.
    pub(super) fn of(lab: &Lab, suite: Suite) -> Self {
        Self { dir: lab.templates().join(format!("{}-{:016x}", suite.as_str(), recipe(suite))) }
    }

    pub(super) fn is_built(&self) -> bool {
        self.dir.is_dir()
    }

    /// Names this very build of it: engines' changes fit no other.
    pub(super) fn id(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    /// An archive of the file system that becomes `busybox:latest`.
    pub(super) fn busybox(&self) -> PathBuf {
        self.dir.join("busybox.tar")
    }
}

/// Builds those that are missing, two at a time.
pub(super) fn build_missing(lab: &Lab, suites: &BTreeSet<Suite>) -> Result<()> {
    let missing: Vec<Suite> =
        suites.iter().copied().filter(|suite| !Template::of(lab, *suite).is_built()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mirror = apt::mirror()?;
    let queue = Mutex::new(missing);
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop());
    in_parallel(&[(), ()], |()| {
        while let Some(suite) = next() {
            let start = Instant::now();
            eprintln!("engines: building the root of {}", suite.as_str());
            build(lab, suite, &mirror).with_context(|| format!("root of {}", suite.as_str()))?;
            let seconds = start.elapsed().as_secs_f32();
            eprintln!("engines: root of {} built in {seconds:.0} s", suite.as_str());
        }
        Ok(())
    })?;
    Ok(())
}

/// Whatever makes a difference to the root; a template of another recipe is not used.
fn recipe(suite: Suite) -> u64 {
    let mut hasher = DefaultHasher::new();
    (MMDEBSTRAP, CONTAINERS_CONF, IMAGE_DIRS, IMAGE_PASSWD, suite.packages()).hash(&mut hasher);
    hasher.finish()
}

const MMDEBSTRAP: [&str; 13] = [
    "--quiet",
    "--variant=essential",
    // A suite without regular updates may be past the date its index is good for.
    "--aptopt=Acquire::Check-Valid-Until \"false\"",
    "--aptopt=Acquire::Check-Date \"false\"",
    "--aptopt=Acquire::Languages \"none\"",
    "--aptopt=APT::Install-Recommends \"false\"",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    // Nothing in the root names the mirror, nor the machine's name servers.
    "--customize-hook=rm -rf \"$1\"/etc/apt/sources.list* \"$1\"/etc/resolv.conf \
     \"$1\"/var/lib/apt/lists \"$1\"/var/log/*",
    "--customize-hook=: > \"$1\"/etc/resolv.conf; mkdir -p \"$1\"/lab \"$1\"/oldroot \
     \"$1\"/etc/docknet \"$1\"/var/lib/containerd \"$1\"/var/lib/containers \"$1\"/var/lib/docker",
];

const CONTAINERS_CONF: &str =
    "[engine]\nruntime = \"runc\"\n\n[network]\nnetwork_backend = \"netavark\"\n";

const IMAGE_DIRS: [(&str, u32); 5] =
    [("bin", 0o755), ("etc", 0o755), ("root", 0o755), ("tmp", 0o1777), ("var/www", 0o755)];

const IMAGE_PASSWD: &str = "root:x:0:0::/root:/bin/sh\n";

fn build(lab: &Lab, suite: Suite, mirror: &str) -> Result<()> {
    let template = Template::of(lab, suite);
    let unfinished = Template { dir: template.dir.with_extension("unfinished") };
    delete(&unfinished.dir)?;
    fs::create_dir_all(&unfinished.dir)?;

    let log = lab.log(&format!("template-{}", suite.as_str()));
    let root = unfinished.root();
    let output = File::create(&log)?;
    // It ends with this program, however that ends: nothing goes on writing to the root.
    let status = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"])
        .args(["--mount-proc", "mmdebstrap"])
        .args(MMDEBSTRAP)
        .arg(format!("--include={}", suite.packages().join(",")))
        .args([suite.as_str().as_ref(), root.as_os_str(), mirror.as_ref()])
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("cannot run mmdebstrap")?;
    if !status.success() {
        bail!("mmdebstrap: {status}, see {}{}", log.display(), log_end(&log));
    }

    if suite.packages().contains(&"podman") {
        fs::create_dir_all(root.join("etc/containers"))?;
        fs::write(root.join("etc/containers/containers.conf"), CONTAINERS_CONF)?;
    }
    archive_busybox(&unfinished).context("image of busybox")?;

    // Only what is whole ever has this name, whatever interrupts the build.
    fs::rename(&unfinished.dir, &template.dir)?;
    Ok(())
}

fn archive_busybox(template: &Template) -> Result<()> {
    let image = template.dir.join("image");
    for (dir, mode) in IMAGE_DIRS {
        fs::create_dir_all(image.join(dir))?;
        fs::set_permissions(image.join(dir), Permissions::from_mode(mode))?;
    }
    fs::write(image.join("etc/passwd"), IMAGE_PASSWD)?;
    let busybox = template.root().join("bin/busybox");
    fs::copy(&busybox, image.join("bin/busybox"))?;
    for applet in run(Command::new(&busybox).arg("--list"))?.lines() {
        if applet != "busybox" {
            symlink("busybox", image.join("bin").join(applet))?;
        }
    }
    run(Command::new("tar")
        .args(["--sort=name", "--owner=0", "--group=0", "--mode=a+rX", "-C"])
        .args([image.as_path(), Path::new("-cf"), &template.busybox(), Path::new(".")]))?;
    delete(&image)?;
    Ok(())
}
