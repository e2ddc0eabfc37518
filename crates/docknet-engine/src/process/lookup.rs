//! Which file a program's name means.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::launch::LaunchError;

/// As in Docker's containers that set none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The file that is run: what has a slash is a path, anything else is looked for in `PATH`.
pub(super) fn executable(
    program: &OsStr,
    env: &[(OsString, OsString)],
    cwd: &Path,
) -> Result<PathBuf, LaunchError> {
    if program.as_bytes().contains(&b'/') {
        let path = cwd.join(program);
        return match check(&path) {
            Ok(()) => Ok(path),
            Err(error) if is_missing(&error) => Err(LaunchError::NotFound(format!(
                "exec: {program:?}: stat {}: no such file or directory",
                path.display()
            ))),
            Err(error) => Err(refused(program, &error)),
        };
    }
    let default = OsStr::new(DEFAULT_PATH);
    let path = env.iter().rfind(|(name, _)| name == "PATH").map_or(default, |(_, path)| path);
    let mut denied = None;
    for directory in std::env::split_paths(path) {
        let candidate = cwd.join(directory).join(program);
        match check(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) if is_missing(&error) => {}
            Err(error) => denied = Some(error),
        }
    }
    Err(denied.map_or_else(
        || LaunchError::NotFound(format!("exec: {program:?}: executable file not found in $PATH")),
        |error| refused(program, &error),
    ))
}

fn check(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn refused(program: &OsStr, error: &io::Error) -> LaunchError {
    LaunchError::NotExecutable(match error.kind() {
        io::ErrorKind::IsADirectory => format!("exec: {program:?}: is a directory"),
        io::ErrorKind::PermissionDenied => format!("exec: {program:?}: permission denied"),
        _ => format!("exec: {program:?}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(program: &str, path: &str) -> Result<PathBuf, LaunchError> {
        let env = [("PATH".into(), path.into())];
        executable(program.as_ref(), &env, Path::new("/"))
    }

    #[test]
    fn names_are_looked_for_and_paths_are_not() {
        assert_eq!(find("sh", "/nowhere:/bin").unwrap(), Path::new("/bin/sh"));
        assert_eq!(find("bin/sh", "").unwrap(), Path::new("/bin/sh"));
        assert_eq!(
            executable("sh".as_ref(), &[], Path::new("/")).unwrap().file_name().unwrap(),
            "sh"
        );
    }

    #[test]
    fn what_cannot_run_is_told_as_docker_does() {
        let missing = find("nosuch", "/bin:/usr/bin").unwrap_err();
        assert_eq!(missing.exit_code(), 127);
        assert_eq!(missing.to_string(), r#"exec: "nosuch": executable file not found in $PATH"#);
        let missing = find("/nosuch", "").unwrap_err();
        assert_eq!(missing.exit_code(), 127);
        let denied = find("passwd", "/etc").unwrap_err();
        assert_eq!(denied.exit_code(), 126);
        assert_eq!(denied.to_string(), r#"exec: "passwd": permission denied"#);
        assert_eq!(find("/etc", "").unwrap_err().to_string(), r#"exec: "/etc": is a directory"#);
    }
}
