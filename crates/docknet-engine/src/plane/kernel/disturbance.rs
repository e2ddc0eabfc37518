//! Somebody else takes away what is ours: a link, or the rules. That is noticed at once.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use netlink_sys::{Socket, SocketAddr, protocols};
use rustix::event::{PollFd, PollFlags, poll};

use super::OURS;
use super::firewall::TABLE_NAME;
use super::links::{Change, Watch};
use super::message::{attribute, messages, text};

/// What tells of it. It is to have a thread of its own.
#[derive(Debug)]
pub(crate) struct Disturbances {
    links: Watch,
    rules: Socket,
    /// Whose changes of rules are our own.
    own_port: u32,
    received: Vec<u8>,
    /// Closed at the other end when nobody wants to know any more.
    until: OwnedFd,
}

/// What comes in one go is looked at in one go.
const GATHER: Duration = Duration::from_millis(20);

impl Disturbances {
    /// Of the namespace that the calling thread is in.
    pub(crate) fn open(own_port: u32, until: OwnedFd) -> io::Result<Self> {
        let mut rules = Socket::new(protocols::NETLINK_NETFILTER)?;
        rules.set_non_blocking(true)?;
        rules.bind(&SocketAddr::new(0, 1 << (NFNLGRP_NFTABLES - 1)))?;
        Ok(Self {
            links: Watch::open()?,
            rules,
            own_port,
            received: Vec::with_capacity(64 * 1024),
            until,
        })
    }

    /// Waits for the next one; false when there will be none any more.
    pub(crate) fn wait(&mut self) -> bool {
        loop {
            let mut fds = [
                PollFd::new(&self.until, PollFlags::IN),
                PollFd::new(&self.links, PollFlags::IN),
                PollFd::new(&self.rules, PollFlags::IN),
            ];
            if poll(&mut fds, None).is_err_and(|errno| errno != rustix::io::Errno::INTR) {
                return false;
            }
            if !fds[0].revents().is_empty() {
                return false;
            }
            std::thread::sleep(GATHER);
            let (links, rules) = (self.of_links(), self.of_rules());
            if links || rules {
                return true;
            }
        }
    }

    fn of_links(&mut self) -> bool {
        let mut disturbed = false;
        while let Some(changes) = self.links.changes() {
            disturbed |= changes.is_none_or(|changes| {
                changes.iter().any(|change| matches!(change, Change::LinkGone(_, Some(OURS))))
            });
        }
        disturbed
    }

    fn of_rules(&mut self) -> bool {
        let mut disturbed = false;
        loop {
            self.received.clear();
            match self.rules.recv(&mut self.received, 0) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return disturbed,
                // ENOBUFS: the kernel dropped some.
                Err(_) => {
                    disturbed = true;
                    continue;
                }
            }
            disturbed |= messages(&self.received).any(|message| {
                let table = message.payload.get(4..).and_then(|rest| attribute(rest, 1));
                REMOVALS.contains(&(message.kind & 0xff))
                    && message.port != self.own_port
                    && table.map(text).as_deref() == Some(TABLE_NAME)
            });
        }
    }
}

// linux/netfilter/nfnetlink.h; linux/netfilter/nf_tables.h: tables, chains, rules, sets, elements
const NFNLGRP_NFTABLES: u32 = 7;
const REMOVALS: [u16; 5] = [2, 5, 8, 11, 14];
