//! The process that holds programs.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use docknet_types::ContainerId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Signal, geteuid, pidfd_send_signal, setsid};

use super::super::launch::{Begun, Launch, LaunchError, Place, spawn, wait};
use super::wire::{receive, send};
use super::{Reply, Request, Run, VERSION};

/// Holds programs of containers for an engine that says so with
/// [`EngineBuilder::held_by`](crate::EngineBuilder::held_by), until nothing runs any more and no engine asks. What that engine
/// starts calls this and nothing else: its standard input is the socket on which the engine is waited for.
///
/// # Errors
/// If the standard input is no such socket.
pub fn hold_programs() -> io::Result<()> {
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    // A terminal from which the engine was started ends the engine, and not this.
    let _is_leader_already = setsid();
    let held = Arc::new(Held::default());
    while held.is_wanted(&listener)? {
        let engine = match listener.accept() {
            Ok((engine, _)) => engine,
            // With this process all programs would end. It may have too many files open for the moment.
            Err(_) => {
                thread::sleep(PAUSE);
                continue;
            }
        };
        if !socket_peercred(&engine).is_ok_and(|peer| peer.uid == geteuid()) {
            continue;
        }
        // An engine that breaks off is one that is gone. There is nobody to be told.
        let _ = held.serve(&engine);
        held.table().engine = None;
        if held.table().programs.is_empty() {
            break;
        }
    }
    Ok(())
}

/// How often it is looked whether there is anything left to hold.
const LOOK: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
const PAUSE: Duration = Duration::from_millis(200);
/// An engine that is being replaced comes sooner. From then on nobody asks any more how programs ended.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Default)]
struct Held(Mutex<Table>);

#[derive(Default)]
struct Table {
    programs: HashMap<Run, Program>,
    engine: Option<UnixStream>,
}

struct Program {
    id: ContainerId,
    begun: Begun,
    code: Option<i64>,
}

impl Held {
    /// Waits for an engine, for as long as there is anything for it.
    fn is_wanted(&self, listener: &UnixListener) -> io::Result<bool> {
        let mut last_ran = Instant::now();
        loop {
            match poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&LOOK)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(why) => return Err(why.into()),
            }
            let table = self.table();
            if table.programs.values().any(|program| program.code.is_none()) {
                last_ran = Instant::now();
            } else if table.programs.is_empty() || last_ran.elapsed() > PATIENCE {
                return Ok(false);
            }
        }
    }

    fn serve(self: &Arc<Self>, engine: &UnixStream) -> io::Result<()> {
        match receive(engine)? {
            Some((Request::Hello { version: VERSION }, _)) => self.welcome(engine)?,
            // It learns which version this is.
            Some(_) => return send(engine, &Reply::Welcome { version: VERSION }, &[]),
            None => return Ok(()),
        }
        while let Some((request, files)) = receive(engine)? {
            match request {
                Request::Hello { .. } => {}
                Request::Start { run, id, launch } => {
                    let launch = Launch { network: files.into_iter().next(), ..*launch };
                    self.start_beside(run, id, launch);
                }
                Request::CloseInput { run } => {
                    if let Some(program) = self.table().programs.get_mut(&run) {
                        program.begun.opened.close_input();
                    }
                }
                Request::Forget { run } => {
                    if let Some(program) = self.table().programs.remove(&run)
                        && program.code.is_none()
                    {
                        // It may have ended just now.
                        let _ = pidfd_send_signal(program.begun.process.as_fd(), Signal::KILL);
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells an engine of all that there is. What happens from then on, it hears after that.
    fn welcome(&self, engine: &UnixStream) -> io::Result<()> {
        let mut table = self.table();
        for (run, program) in &table.programs {
            program.tell(*run, engine)?;
            if let Some(code) = program.code {
                send(engine, &Reply::Ended { run: *run, code }, &[])?;
            }
        }
        send(engine, &Reply::Welcome { version: VERSION }, &[])?;
        table.engine = Some(engine.try_clone()?);
        Ok(())
    }

    fn start_beside(self: &Arc<Self>, run: Run, id: ContainerId, launch: Launch) {
        let (held, name) = (Arc::clone(self), "container".to_owned());
        let begun = thread::Builder::new().name(name).spawn(move || held.start(run, id, launch));
        if let Err(why) = begun {
            let why = LaunchError::Io(format!("making a thread: {why}"));
            self.table().tell(&Reply::NotStarted { run, why });
        }
    }

    /// Runs a program to its end, on a thread that does nothing else.
    fn start(&self, run: Run, id: ContainerId, launch: Launch) {
        let place = Place::New(Box::new(launch));
        let (mut child, begun) = match spawn(&place) {
            Ok(started) => started,
            Err(why) => return self.table().tell(&Reply::NotStarted { run, why }),
        };
        // The namespace of the network may go with the container now.
        drop(place);
        let mut table = self.table();
        let program = Program { id, begun, code: None };
        if let Some(engine) = &table.engine {
            // If it cannot be told it is gone, and the next one hears of it.
            let _ = program.tell(run, engine);
        }
        table.programs.insert(run, program);
        drop(table);
        let code = wait(&mut child);
        let mut table = self.table();
        if let Some(program) = table.programs.get_mut(&run) {
            program.code = Some(code);
            table.tell(&Reply::Ended { run, code });
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn tell(&self, reply: &Reply) {
        if let Some(engine) = &self.engine {
            // As above.
            let _ = send(engine, reply, &[]);
        }
    }
}

impl Program {
    fn tell(&self, run: Run, engine: &UnixStream) -> io::Result<()> {
        let (ends, streams) = self.begun.opened.ends();
        let files: Vec<BorrowedFd<'_>> =
            [self.begun.process.as_fd()].into_iter().chain(streams).collect();
        let pid = self.begun.pid.as_raw_pid();
        send(engine, &Reply::Held { run, id: self.id.clone(), pid, ends }, &files)
    }
}
