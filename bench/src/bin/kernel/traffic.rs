//! TCP: between two containers of one network, from a container to the world outside, and from the host to a port that a container
//! publishes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::net::sockopt::set_socket_linger;

use crate::WITHOUT_PROXY;
use crate::contender::{Contender, titled};
use crate::floor::Floor;
use crate::namespace::Namespace;
use docknet_bench::report::{Goal, Report, Samples, Side};

const TITLES: [&str; 3] = ["docknet", "dockerd", WITHOUT_PROXY];
const TURNS: usize = 7;
const QUICK_TURNS: usize = 4;
const PORT: u16 = 5001;
const PIECE: usize = 1 << 17;
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 254, 0, 2);

/// What packets go through, and what its figures are called.
const BRIDGE: &str = "";
const OUT: &str = "out_";
const PUBLISHED: &str = "published_";

/// A way from one namespace to another.
struct Line {
    way: &'static str,
    title: &'static str,
    near: Namespace,
    far: Namespace,
    /// Where the far one listens, and where the near one finds that.
    listens: Ipv4Addr,
    found: Ipv4Addr,
    bits: Samples,
    connections: Samples,
}

pub fn measure(
    contenders: &mut [Contender],
    size: usize,
    quick: bool,
    report: &mut Report,
) -> Result<()> {
    let mut lines = Vec::new();
    for contender in titled(contenders, &TITLES) {
        let (title, host) = (contender.title, contender.host()?);
        let near = contender.member("near", None)?.namespace;
        let far = contender.member("far", Some(PORT))?;
        let outside = Floor::outside(&host)?;
        let at = far.address;
        lines.push(Line::new(BRIDGE, title, near.again()?, far.namespace.again()?, at, at));
        lines.push(Line::new(OUT, title, near, outside, OUTSIDE, OUTSIDE));
        lines.push(Line::new(PUBLISHED, title, host, far.namespace, at, Ipv4Addr::LOCALHOST));
    }
    let (floor, far) = Floor::pair()?;
    let (near, at) = (floor.container().again()?, Ipv4Addr::new(10, 255, 0, 3));
    lines.push(Line::new(BRIDGE, "bridge and veth alone", near, far, at, at));
    let time = Duration::from_millis(if quick { 400 } else { 1_200 });
    for _ in 0..if quick { QUICK_TURNS } else { TURNS } {
        for line in &mut lines {
            line.bits.add(line.throughput(time)?);
            line.connections.add(line.connect_for(time)?);
        }
    }
    for line in &lines {
        let way = line.way;
        report.figure(&format!("{way}throughput_{size}"), line.title, &line.bits, "Gb/s");
        report.figure(&format!("{way}connections_{size}"), line.title, &line.connections, "1/s");
    }
    for way in [BRIDGE, OUT, PUBLISHED] {
        let of = |title| lines.iter().find(|line| (line.way, line.title) == (way, title));
        let Some(own) = of(TITLES[0]) else { continue };
        for (theirs, short) in [(of(TITLES[1]), "dockerd"), (of(TITLES[2]), "dockerd_no_proxy")] {
            let Some(theirs) = theirs else { continue };
            // The same kernel carries both: less would be a rule in the way.
            let goal = Goal::AtLeast(0.95);
            let name = format!("{way}throughput_{size}_docknet_to_{short}");
            let (mine, other) = (Side(own.title, &own.bits), Side(theirs.title, &theirs.bits));
            report.ratio(&name, mine, other, "Gb/s", goal);
            let name = format!("{way}connections_{size}_docknet_to_{short}");
            let mine = Side(own.title, &own.connections);
            let other = Side(theirs.title, &theirs.connections);
            report.ratio(&name, mine, other, "1/s", goal);
        }
    }
    drop(lines);
    titled(contenders, &TITLES).try_for_each(|contender| contender.remove_members())
}

impl Line {
    fn new(
        way: &'static str,
        title: &'static str,
        near: Namespace,
        far: Namespace,
        listens: Ipv4Addr,
        found: Ipv4Addr,
    ) -> Self {
        let (bits, connections) = (Samples::default(), Samples::default());
        Self { way, title, near, far, listens, found, bits, connections }
    }

    /// Gigabits in a second, from here to there.
    fn throughput(&self, time: Duration) -> Result<f64> {
        let listener = self.listen()?;
        let mut sender = self.near.within(|| self.connect())?;
        let (mut receiver, _) = listener.accept()?;
        thread::scope(|scope| {
            let reading = scope.spawn(move || -> Result<f64> {
                let (mut piece, mut all) = (vec![0; PIECE], 0);
                let begun = Instant::now();
                loop {
                    match receiver.read(&mut piece)? {
                        0 => break Ok(all as f64 * 8e-9 / begun.elapsed().as_secs_f64()),
                        more => all += more,
                    }
                }
            });
            let (piece, begun) = (vec![0; PIECE], Instant::now());
            while begun.elapsed() < time {
                sender.write_all(&piece)?;
            }
            drop(sender);
            reading.join().map_err(|_| anyhow!("a thread broke down"))?
        })
    }

    /// Connections in a second, one after the other, each with a byte to and fro.
    fn connect_for(&self, time: Duration) -> Result<f64> {
        let listener = self.listen()?;
        thread::scope(|scope| {
            let answering = scope.spawn(move || -> Result<()> {
                loop {
                    let (mut accepted, _) = listener.accept()?;
                    let mut byte = [0];
                    accepted.read_exact(&mut byte)?;
                    accepted.write_all(&byte)?;
                    if byte == LAST {
                        break Ok(());
                    }
                }
            });
            let counted = self.near.within(|| {
                let (mut count, begun) = (0_u32, Instant::now());
                while begun.elapsed() < time {
                    self.exchange([0])?;
                    count += 1;
                }
                let rate = f64::from(count) / begun.elapsed().as_secs_f64();
                self.exchange(LAST)?;
                Ok(rate)
            });
            answering.join().map_err(|_| anyhow!("a thread broke down"))??;
            counted
        })
    }

    fn exchange(&self, mut byte: [u8; 1]) -> Result<()> {
        let mut stream = self.connect()?;
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
        // Closed at once, so that its port is free again.
        set_socket_linger(&stream, Some(Duration::ZERO))?;
        Ok(())
    }

    fn listen(&self) -> Result<TcpListener> {
        let at = SocketAddr::from((self.listens, PORT));
        self.far.within(|| TcpListener::bind(at).with_context(|| format!("{}: {at}", self.title)))
    }

    fn connect(&self) -> Result<TcpStream> {
        let at = SocketAddr::from((self.found, PORT));
        TcpStream::connect_timeout(&at, Duration::from_secs(5))
            .with_context(|| format!("{}: {at}", self.title))
    }
}

/// The byte of the last connection.
const LAST: [u8; 1] = [1];
