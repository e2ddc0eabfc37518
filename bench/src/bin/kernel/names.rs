//! Names: what a container asks of the resolver that its engine gives it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::contender::{Contender, titled};
use crate::namespace::Namespace;
use docknet_bench::report::{Goal, Report, Samples, Side};

const TITLES: [&str; 3] = ["docknet", "dockerd", "podman"];
const TURNS: usize = 5;
/// Who asks at the same time, each with one question after the other.
const MANY: usize = 8;

/// A container, and who answers it.
struct Line {
    title: &'static str,
    inside: Namespace,
    resolver: IpAddr,
    /// The address of the container that is asked for.
    answer: Ipv4Addr,
    latency: Samples,
    questions: Samples,
}

pub fn measure(contenders: &mut [Contender], quick: bool, report: &mut Report) -> Result<()> {
    let mut lines = Vec::new();
    for contender in titled(contenders, &TITLES) {
        let asked = contender.member("far", None)?;
        let asking = contender.member("near", None)?;
        lines.push(Line {
            title: contender.title,
            resolver: match contender.title {
                // Its aardvark-dns is where the gateway is.
                "podman" => asking.gateway,
                _ => Ipv4Addr::new(127, 0, 0, 11).into(),
            },
            inside: asking.namespace,
            answer: asked.address,
            latency: Samples::default(),
            questions: Samples::default(),
        });
    }
    let time = Duration::from_millis(if quick { 300 } else { 1_000 });
    for _ in 0..TURNS {
        for line in &mut lines {
            let one = line.ask_for(time, 1)?;
            line.latency.add(1e6 / one);
            line.questions.add(line.ask_for(time, MANY)?);
        }
    }
    for line in &lines {
        report.figure("dns_latency", line.title, &line.latency, "µs");
        report.figure(&format!("dns_questions_{MANY}"), line.title, &line.questions, "1/s");
    }
    if let Some((own, others)) = lines.split_first() {
        for other in others {
            let name = format!("dns_latency_docknet_to_{}", other.title);
            let (mine, theirs) = (Side(own.title, &own.latency), Side(other.title, &other.latency));
            report.ratio(&name, mine, theirs, "µs", Goal::AtMost(1.0));
            let name = format!("dns_questions_docknet_to_{}", other.title);
            let mine = Side(own.title, &own.questions);
            let theirs = Side(other.title, &other.questions);
            report.ratio(&name, mine, theirs, "1/s", Goal::AtLeast(1.0));
        }
    }
    drop(lines);
    titled(contenders, &TITLES).try_for_each(|contender| contender.remove_members())
}

impl Line {
    /// Answers in a second to so many who ask.
    fn ask_for(&self, time: Duration, many: usize) -> Result<f64> {
        let begun = Instant::now();
        let ask = || self.inside.within(|| self.ask_until(begun + time));
        let answers: u32 = thread::scope(|scope| {
            let asking: Vec<_> = (0..many).map(|_| scope.spawn(ask)).collect();
            let counts = asking.into_iter().map(|asking| {
                asking.join().unwrap_or_else(|_| Err(anyhow!("a thread broke down")))
            });
            counts.sum::<Result<u32>>()
        })?;
        Ok(f64::from(answers) / begun.elapsed().as_secs_f64())
    }

    fn ask_until(&self, end: Instant) -> Result<u32> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(SocketAddr::from((self.resolver, 53)))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut count = 0;
        while Instant::now() < end {
            self.ask(&socket, u16::try_from(count % 0x1_0000)?)?;
            count += 1;
        }
        Ok(count)
    }

    fn ask(&self, socket: &UdpSocket, id: u16) -> Result<()> {
        socket.send(&question(id))?;
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer)?;
        let answer = answer.get(..length).unwrap_or_default();
        ensure!(
            answer.starts_with(&id.to_be_bytes()) && answer.ends_with(&self.answer.octets()),
            "{}: {answer:?}",
            self.title
        );
        Ok(())
    }
}

/// For the IPv4 address of `far` (RFC 1035, 4.1).
fn question(id: u16) -> Vec<u8> {
    let [first, second] = id.to_be_bytes();
    let head = [first, second, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [head.as_slice(), b"\x03far\x00", &[0, 1, 0, 1]].concat()
}
