//! One thread that answers for all containers.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use docknet_types::ContainerId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::answer::{Answer, Asked, Carrier, answer, failure};
use super::directory::{Directory, Forward};
use super::forward::{Forwarder, Patience};

/// Answers until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// None once it is being dropped: the thread ends when nobody can order anything any more.
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Sockets inside a container's namespace. Whoever reaches them is the container.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) udp: std::net::UdpSocket,
    pub(crate) tcp: std::net::TcpListener,
}

/// What one container may ask of us at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Questions that others are asked.
    pub(crate) forwards: usize,
    pub(crate) connections: usize,
    /// How long a connection may say nothing, or half of something.
    pub(crate) idle: Duration,
    pub(crate) patience: Patience,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            forwards: 100,
            connections: 32,
            idle: Duration::from_secs(10),
            patience: Patience::default(),
        }
    }
}

#[derive(Debug)]
enum Order {
    Serve(ContainerId, Sockets),
    Stop(ContainerId),
}

impl Server {
    /// Other resolvers are asked from the network namespace of the thread that calls this.
    pub(crate) fn start(directory: Arc<Directory>) -> io::Result<Self> {
        Self::start_with(directory, Limits::default())
    }

    pub(crate) fn start_with(directory: Arc<Directory>, limits: Limits) -> io::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (orders, queue) = mpsc::unbounded_channel();
        let work = Arc::new(Work {
            directory,
            limits,
            forwarder: Forwarder::new(limits.patience),
            turn: AtomicUsize::new(0),
        });
        let thread = thread::Builder::new()
            .name("dns".to_owned())
            .spawn(move || runtime.block_on(follow(&work, queue)))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Answers what comes to these sockets as the container may see it. Earlier sockets of the container are closed.
    pub(crate) fn serve(&self, container: ContainerId, sockets: Sockets) -> io::Result<()> {
        sockets.udp.set_nonblocking(true)?;
        sockets.tcp.set_nonblocking(true)?;
        let order = Order::Serve(container, sockets);
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        if sent { Ok(()) } else { Err(io::Error::other("the thread that answers DNS has ended")) }
    }

    /// Closes the sockets of a container, soon.
    pub(crate) fn stop(&self, container: &ContainerId) {
        if let Some(orders) = &self.orders {
            // If the thread has ended, the sockets are closed.
            let _ = orders.send(Order::Stop(container.clone()));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that answers DNS broke down");
        }
    }
}

/// What all containers share.
#[derive(Debug)]
struct Work {
    directory: Arc<Directory>,
    limits: Limits,
    forwarder: Forwarder,
    turn: AtomicUsize,
}

async fn follow(work: &Arc<Work>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut sandboxes = JoinSet::new();
    let mut running: HashMap<ContainerId, AbortHandle> = HashMap::new();
    while let Some(order) = orders.recv().await {
        while sandboxes.try_join_next().is_some() {}
        let (container, sockets) = match order {
            Order::Serve(container, sockets) => (container, Some(sockets)),
            Order::Stop(container) => (container, None),
        };
        if let Some(before) = running.remove(&container) {
            before.abort();
        }
        let Some(sockets) = sockets else { continue };
        match Sandbox::new(Arc::clone(work), container.clone(), sockets) {
            Ok(sandbox) => {
                running.insert(container, sandboxes.spawn(sandbox.run()));
            }
            Err(error) => tracing::error!(%container, %error, "cannot answer DNS for a container"),
        }
    }
}

/// One container and its sockets. Whatever it has begun ends with it.
struct Sandbox {
    asker: Arc<Asker>,
    udp: Arc<UdpSocket>,
    tcp: TcpListener,
}

/// On whose behalf something is asked, and how much of that goes on.
struct Asker {
    work: Arc<Work>,
    container: ContainerId,
    forwards: Arc<Semaphore>,
}

impl Sandbox {
    fn new(work: Arc<Work>, container: ContainerId, sockets: Sockets) -> io::Result<Self> {
        let forwards = Arc::new(Semaphore::new(work.limits.forwards));
        Ok(Self {
            asker: Arc::new(Asker { work, container, forwards }),
            udp: Arc::new(UdpSocket::from_std(sockets.udp)?),
            tcp: TcpListener::from_std(sockets.tcp)?,
        })
    }

    async fn run(self) {
        tokio::join!(datagrams(&self.asker, &self.udp), connections(&self.asker, &self.tcp));
    }
}

async fn datagrams(asker: &Arc<Asker>, socket: &Arc<UdpSocket>) {
    let mut forwards = JoinSet::new();
    let mut buffer = vec![0; LONGEST_QUERY];
    loop {
        let (length, client) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                asker.pause("receive queries", &error).await;
                continue;
            }
        };
        while forwards.try_join_next().is_some() {}
        let Some(query) = buffer.get(..length) else { continue };
        match asker.decide(query, Carrier::Udp) {
            Decision::Nothing => {}
            Decision::Reply(reply) => send(socket, &reply, client),
            Decision::Ask(question) => {
                let socket = Arc::clone(socket);
                forwards.spawn(async move { send(&socket, &question.ask().await, client) });
            }
        }
    }
}

/// A client that takes nothing loses it: nobody waits for it, as nobody does on a wire.
fn send(socket: &UdpSocket, reply: &[u8], client: SocketAddr) {
    if let Err(error) = socket.try_send_to(reply, client) {
        tracing::debug!(%client, %error, "an answer was lost");
    }
}

async fn connections(asker: &Arc<Asker>, listener: &TcpListener) {
    let mut running = JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                asker.pause("accept connections", &error).await;
                continue;
            }
        };
        while running.try_join_next().is_some() {}
        // Beyond the limit it is closed at once, so that the client knows.
        if running.len() < asker.work.limits.connections {
            running.spawn(converse(Arc::clone(asker), stream));
        }
    }
}

/// Many questions on one connection. What is forwarded is answered when it can be, the rest does not wait for it.
async fn converse(asker: Arc<Asker>, stream: TcpStream) {
    let idle = asker.work.limits.idle;
    let (mut reader, mut writer) = stream.into_split();
    let (replies, mut queue) = mpsc::channel(QUEUED_REPLIES);
    let read = async move {
        let mut forwards = JoinSet::new();
        while let Ok(Ok(query)) = timeout(idle, read_message(&mut reader)).await {
            while forwards.try_join_next().is_some() {}
            match asker.decide(&query, Carrier::Tcp) {
                // Whoever does not speak DNS is not listened to any longer.
                Decision::Nothing => break,
                Decision::Reply(reply) => {
                    if replies.send(reply).await.is_err() {
                        break;
                    }
                }
                Decision::Ask(question) => {
                    let replies = replies.clone();
                    forwards.spawn(async move {
                        // If nobody is there to write it, the client is gone.
                        let _ = replies.send(question.ask().await).await;
                    });
                }
            }
        }
        drop(replies);
        while forwards.join_next().await.is_some() {}
    };
    let write = async move {
        while let Some(reply) = queue.recv().await {
            let Ok(Ok(())) = timeout(idle, write_message(&mut writer, &reply)).await else { break };
        }
    };
    tokio::join!(read, write);
}

enum Decision {
    Nothing,
    Reply(Vec<u8>),
    Ask(Question),
}

/// What others are to be asked. It counts against its container until it is dropped.
struct Question {
    work: Arc<Work>,
    query: Vec<u8>,
    carrier: Carrier,
    servers: Arc<[SocketAddr]>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Asker {
    fn decide(&self, query: &[u8], carrier: Carrier) -> Decision {
        let Work { directory, turn, .. } = &*self.work;
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        match answer(query, &Asked { directory, container: &self.container, carrier, turn }) {
            Answer::Drop => Decision::Nothing,
            Answer::Reply(reply) => Decision::Reply(reply),
            Answer::Forward => match self.question(query, carrier) {
                Some(question) => Decision::Ask(question),
                // As Docker has it, for networks that lead nowhere too.
                None => Decision::Reply(failure(query)),
            },
        }
    }

    /// Nothing if there is nobody to ask, or enough is being asked already.
    fn question(&self, query: &[u8], carrier: Carrier) -> Option<Question> {
        let Forward::To(servers) = self.work.directory.forward(&self.container) else {
            return None;
        };
        Some(Question {
            work: Arc::clone(&self.work),
            query: query.to_vec(),
            carrier,
            servers,
            _permit: Arc::clone(&self.forwards).try_acquire_owned().ok()?,
        })
    }

    /// What is wrong with a socket may last: it must not take all our time.
    async fn pause(&self, what: &str, error: &io::Error) {
        tracing::warn!(container = %self.container, %error, "cannot {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Question {
    async fn ask(&self) -> Vec<u8> {
        let answer = self.work.forwarder.ask(&self.query, self.carrier, &self.servers).await;
        answer.unwrap_or_else(|| failure(&self.query))
    }
}

/// A message with its length before it, as TCP carries them.
pub(super) async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    if length < HEADER {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shorter than a message can be"));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

pub(super) async fn write_message(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &[u8],
) -> io::Result<()> {
    let length = u16::try_from(message.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "longer than a message can be"))?;
    // In one piece, so that it goes out as one.
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await
}

/// Over UDP. Real ones are far shorter.
const LONGEST_QUERY: usize = 4096;
const QUEUED_REPLIES: usize = 16;
const HEADER: usize = 12;

#[cfg(test)]
mod tests;
