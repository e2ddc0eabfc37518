//! Unix sockets: nobody but the owner and its group ever reaches one, and none that is in use is taken away.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use super::ServeError;

/// The file of a socket, as long as it is ours. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Listens at a path.
pub(super) async fn listen(path: &Path) -> Result<(UnixListener, SocketFile), ServeError> {
    let failed = |error| match error {
        Failure::Said(error) => error,
        Failure::Io(error) => {
            ServeError::from_io(format_args!("cannot listen at unix://{}", path.display()), error)
        }
    };
    // Two engines that start at once must not each take the other's socket for a stale one.
    let _alone = lock(path).await.map_err(|error| failed(error.into()))?;
    bind(path).map_err(failed)
}

enum Failure {
    Said(ServeError),
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn bind(path: &Path) -> Result<(UnixListener, SocketFile), Failure> {
    let address = SockAddr::unix(path)?;
    clear(path, &address)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address)?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
    // Whoever connects before `listen` is refused, whatever the mode.
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    socket.listen(BACKLOG)?;
    let listener = std::os::unix::net::UnixListener::from(socket);
    Ok((UnixListener::from_std(listener)?, file))
}

/// As Docker's socket has it: the owner and its group.
const MODE: u32 = 0o660;

const BACKLOG: i32 = 1024;

/// Removes a socket that nobody listens on any more.
fn clear(path: &Path, address: &SockAddr) -> Result<(), Failure> {
    let in_the_way = |what: &str| {
        let path = path.display();
        Err(Failure::Said(ServeError::new(format!("cannot listen at unix://{path}: {what}"))))
    };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return in_the_way("there is a file that is no socket");
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A full queue would hold us up, and proves that somebody listens.
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tracing::info!(path = %path.display(), "removing a socket that nobody listens on");
            fs::remove_file(path)?;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            in_the_way("there is a socket of somebody else's")
        }
        Ok(()) | Err(_) => in_the_way("another process listens there"),
    }
}

/// Holds the directory, for the moment that it takes to look at a socket and to replace it.
async fn lock(path: &Path) -> io::Result<Option<File>> {
    let directory = File::open(path.parent().unwrap_or_else(|| Path::new("/")))?;
    for _ in 0..TRIES {
        match directory.try_lock() {
            Ok(()) => return Ok(Some(directory)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(_)) => break,
        }
    }
    // Somebody keeps the directory locked for reasons of their own, or its file system knows no locks.
    tracing::debug!(path = %path.display(), "listening without a lock on the directory");
    Ok(None)
}

const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it and put another one in its place.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[tokio::test]
    async fn a_socket_is_for_its_owner_and_group_and_goes_with_its_guard() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.sock");
        let (listener, file) = listen(&path).await.unwrap();
        assert_eq!(mode(&path), 0o660);
        drop(listener);
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let (_listener, _file) = listen(&path).await.unwrap();
        std::os::unix::net::UnixStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_socket_in_use_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.sock");
        let (_listener, _file) = listen(&path).await.unwrap();
        let error = listen(&path).await.unwrap_err().to_string();
        assert!(error.ends_with("a.sock: another process listens there"), "{error}");
        std::os::unix::net::UnixStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_socket_with_a_full_queue_is_in_use() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.sock");
        let address = SockAddr::unix(&path).unwrap();
        let busy = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        busy.bind(&address).unwrap();
        busy.listen(0).unwrap();
        let mut waiting = Vec::new();
        loop {
            let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            if client.connect(&address).is_err() {
                break;
            }
            waiting.push(client);
        }
        assert!(listen(&path).await.is_err());
        assert!(path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.sock");
        fs::write(&path, "letters").unwrap();
        let error = listen(&path).await.unwrap_err().to_string();
        assert!(error.ends_with("there is a file that is no socket"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"letters");
        let link = home.path().join("b.sock");
        std::os::unix::fs::symlink(home.path().join("nowhere"), &link).unwrap();
        assert!(listen(&link).await.is_err());
    }

    #[tokio::test]
    async fn a_socket_that_took_our_place_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.sock");
        let (_listener, file) = listen(&path).await.unwrap();
        fs::remove_file(&path).unwrap();
        let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(file);
        assert!(path.exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_that_start_at_once_one_listens() {
        let home = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let path = home.path().join(format!("{round}.sock"));
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let (runtime, line) = (tokio::runtime::Handle::current(), Barrier::new(4));
            let started = std::thread::scope(|scope| {
                let start = || {
                    line.wait();
                    runtime.block_on(async { listen(&path).await })
                };
                let starts: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
                starts.into_iter().map(|start| start.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(started.iter().filter(|start| start.is_ok()).count(), 1);
            std::os::unix::net::UnixStream::connect(&path).unwrap();
        }
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_says_why() {
        let home = tempfile::tempdir().unwrap();
        let error = listen(&home.path().join("none/a.sock")).await.unwrap_err();
        assert!(error.to_string().contains("No such file or directory"), "{error}");
        let error = listen(&home.path().join("a".repeat(200))).await.unwrap_err();
        assert!(error.to_string().contains("cannot listen at unix://"), "{error}");
    }
}
