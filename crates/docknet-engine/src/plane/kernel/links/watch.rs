//! What changes among links and routes, whoever changes it.

use std::io;

use std::os::fd::{AsFd, BorrowedFd};

use netlink_sys::{Socket, SocketAddr};

use super::super::message::{Message, messages};
use super::uapi::*;
use super::{Group, Index, Link, Route};

/// A socket of the namespace in which it was opened, that is told of changes.
#[derive(Debug)]
pub(crate) struct Watch {
    socket: Socket,
    received: Vec<u8>,
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// New, or not what it was.
    Link(Link),
    /// With the group that it was in.
    LinkGone(Index, Option<Group>),
    Route(Route),
    RouteGone(Route),
}

impl Watch {
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(netlink_sys::protocols::NETLINK_ROUTE)?;
        socket.set_non_blocking(true)?;
        socket.set_rx_buf_sz(ROOM)?;
        let groups = [RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE];
        let groups = groups.iter().fold(0, |all, group| all | 1 << (group - 1));
        socket.bind(&SocketAddr::new(0, groups))?;
        Ok(Self { socket, received: Vec::with_capacity(64 * 1024) })
    }

    /// Some changes; nothing if there were none since the last time; `Some(None)` if there were more than are kept.
    pub(crate) fn changes(&mut self) -> Option<Option<Vec<Change>>> {
        self.received.clear();
        match self.socket.recv(&mut self.received, 0) {
            Ok(_) => {
                Some(Some(messages(&self.received).filter_map(|one| Change::read(&one)).collect()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            // ENOBUFS: the kernel dropped some.
            Err(_) => Some(None),
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Change {
    fn read(message: &Message<'_>) -> Option<Self> {
        match message.kind {
            RTM_NEWLINK => Link::read(message).map(Self::Link),
            RTM_DELLINK => {
                // A port that leaves its bridge is told of in the same way.
                let head = message.payload.first() == Some(&AF_UNSPEC);
                let link = Link::read(message).filter(|_| head)?;
                Some(Self::LinkGone(link.index, link.group))
            }
            RTM_NEWROUTE => Route::read(message).map(Self::Route),
            RTM_DELROUTE => Route::read(message).map(Self::RouteGone),
            _ => None,
        }
    }
}

/// For some thousand changes between two operations.
const ROOM: usize = 4 * 1024 * 1024;

// linux/rtnetlink.h
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_ROUTE: u32 = 7;
const RTNLGRP_IPV6_ROUTE: u32 = 11;
