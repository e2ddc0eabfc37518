//! Published ports: rules that lead to containers, and sockets that keep everybody else from taking the ports.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use super::PlaneError;
use super::firewall::Firewall;
use super::home::Home;
use crate::core::container::Protocol;
use crate::core::step::Opening;

/// Ports of the host that are taken. Nobody listens: connections are led elsewhere before they arrive.
#[derive(Debug, Default)]
pub(crate) struct Ports(HashMap<(Protocol, SocketAddr), Socket>);

impl Ports {
    /// Closes those openings that are no more, and opens those that are new.
    pub(crate) fn change(
        &mut self,
        home: &Home,
        firewall: &mut Firewall,
        from: &[Opening],
        to: &[Opening],
    ) -> Result<(), PlaneError> {
        let only_in = |one: &[Opening], other: &[Opening]| -> Vec<Opening> {
            one.iter().filter(|opening| !other.contains(opening)).copied().collect()
        };
        let (close, open) = (only_in(from, to), only_in(to, from));
        if close.is_empty() && open.is_empty() {
            return Ok(());
        }
        // A port that leads elsewhere now stays taken.
        let of = |all: &[Opening]| -> Vec<(Protocol, SocketAddr)> {
            all.iter().filter_map(|opening| Some((opening.protocol, opening.at?))).collect()
        };
        let (leaving, staying) = (of(&close), of(to));
        let new: Vec<_> = open.iter().filter(|opening| self.is_new(opening)).copied().collect();
        let taken = home.within(|| new.iter().map(take).collect::<io::Result<Vec<_>>>());
        let taken = taken.map_err(|why| PlaneError::new(why.to_string()))?;
        firewall.change_openings(&close, &open)?;
        self.0.extend(taken);
        self.0.retain(|key, _| staying.contains(key) || !leaving.contains(key));
        Ok(())
    }

    /// Keeps these ports taken, and no others. One that somebody else has by now is told of, and led elsewhere all the same.
    pub(crate) fn keep(&mut self, home: &Home, openings: &[Opening]) {
        self.0.retain(|(protocol, at), _| {
            openings.iter().any(|one| one.protocol == *protocol && one.at == Some(*at))
        });
        for opening in openings.iter().filter(|opening| self.is_new(opening)).collect::<Vec<_>>() {
            match home.within(|| take(opening)) {
                Ok((key, socket)) => {
                    self.0.insert(key, socket);
                }
                Err(why) => tracing::warn!(%why, "a published port is somebody else's, too"),
            }
        }
    }

    fn is_new(&self, opening: &Opening) -> bool {
        opening.at.is_some_and(|at| !self.0.contains_key(&(opening.protocol, at)))
    }
}

fn take(opening: &Opening) -> io::Result<((Protocol, SocketAddr), Socket)> {
    let at = opening.at.unwrap_or(opening.to);
    let (kind, protocol) = match opening.protocol {
        Protocol::Tcp => (Type::STREAM, socket2::Protocol::TCP),
        Protocol::Udp => (Type::DGRAM, socket2::Protocol::UDP),
        Protocol::Sctp => (Type::STREAM, socket2::Protocol::SCTP),
    };
    let bound = Socket::new(Domain::for_address(at), kind, Some(protocol)).and_then(|socket| {
        if at.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&at.into())?;
        Ok(socket)
    });
    match bound {
        Ok(socket) => Ok(((opening.protocol, at), socket)),
        Err(why) => Err(io::Error::new(
            why.kind(),
            // In Docker's words.
            format!(
                "failed to bind host port for {at}:{}/{}: {}",
                opening.to,
                opening.protocol.as_str(),
                plain(&why)
            ),
        )),
    }
}

fn plain(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "cannot assign requested address".to_owned(),
        _ => why.to_string(),
    }
}
