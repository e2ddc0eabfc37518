//! Where an engine listens.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// The address of an engine, as in `DOCKER_HOST`.
///
/// | | |
/// |---|---|
/// | `unix:///run/docker.sock` | a Unix socket, by its absolute path |
/// | `tcp://host[:port]` | TCP; with TLS if TLS is asked for elsewhere |
/// | `http://host[:port]` | TCP, never with TLS |
/// | `https://host[:port]` | TCP, always with TLS |
/// | `ssh://[user@]host[:port][/path/to/socket]` | the engine of another machine, through `ssh` |
///
/// Without a port it is 2375, with TLS 2376, and for `ssh` whatever its own settings say. IPv6 addresses stand in
/// brackets.
///
/// ```
/// use docknet::Host;
///
/// let host: Host = "ssh://root@build1:2222/run/podman/podman.sock".parse()?;
/// assert_eq!(host.scheme(), "ssh");
/// assert_eq!(host.to_string(), "ssh://root@build1:2222/run/podman/podman.sock");
///
/// let error = "build1:2375".parse::<Host>().unwrap_err();
/// assert!(error.to_string().contains("tcp://build1:2375"));
/// # Ok::<(), docknet::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Host(Address);

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Ssh(SshTarget),
    Tcp { encryption: Encryption, host: String, port: Option<u16> },
    Unix(String),
}

/// Whether TCP goes through TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encryption {
    /// `https://`
    Always,
    /// `tcp://`: if it is asked for elsewhere.
    Asked,
    /// `http://`
    Never,
}

/// What `ssh` connects to, and the socket there; without one, that machine's docker CLI knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SshTarget {
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) socket: Option<String>,
}

impl Host {
    /// `unix`, `tcp`, `http`, `https` or `ssh`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match &self.0 {
            Address::Ssh(_) => "ssh",
            Address::Tcp { encryption: Encryption::Always, .. } => "https",
            Address::Tcp { encryption: Encryption::Asked, .. } => "tcp",
            Address::Tcp { encryption: Encryption::Never, .. } => "http",
            Address::Unix(_) => "unix",
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.0
    }
}

impl FromStr for Host {
    type Err = Error;

    /// # Errors
    /// `Config` if it is no such address: the message names the text, without its password if it has one, and says what
    /// is wanted.
    fn from_str(text: &str) -> Result<Self> {
        parse(text).map(Self).map_err(|problem| {
            let text =
                format!("{:?} is no address of an engine: {problem}", without_password(text));
            Error::new(ErrorKind::Config, text)
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = match &self.0 {
            Address::Ssh(SshTarget { host, port, .. }) | Address::Tcp { host, port, .. } => {
                (host, port)
            }
            Address::Unix(path) => return write!(f, "unix://{path}"),
        };
        write!(f, "{}://", self.scheme())?;
        if let Address::Ssh(SshTarget { user: Some(user), .. }) = &self.0 {
            write!(f, "{user}@")?;
        }
        write_host(host, f)?;
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        if let Address::Ssh(SshTarget { socket: Some(socket), .. }) = &self.0 {
            f.write_str(socket)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({self})")
    }
}

/// The address, or what is wrong with the text and what is wanted.
fn parse(text: &str) -> Result<Address, String> {
    if text.is_empty() {
        return Err(format!("it is empty, and {WANTED} is wanted"));
    }
    if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("it has {bad:?} in it, and {WANTED} is wanted"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let meant = match text.strip_prefix('/') {
            Some(path) => format!("unix:///{path}"),
            None => format!("tcp://{text}"),
        };
        return Err(format!("it has no scheme; is {:?} meant?", without_password(&meant)));
    };
    match scheme {
        "unix" => unix(rest),
        "tcp" => tcp(rest, Encryption::Asked),
        "http" => tcp(rest, Encryption::Never),
        "https" => tcp(rest, Encryption::Always),
        "ssh" => ssh(rest),
        "npipe" => Err(format!("named pipes of Windows are not supported, and {WANTED} is wanted")),
        "fd" => Err(format!(
            "fd:// is for daemons that are handed their sockets, and {WANTED} is wanted"
        )),
        _ => Err(format!("{scheme:?} is no scheme of engines, and {WANTED} is wanted")),
    }
}

const WANTED: &str =
    "unix:///path, tcp://host:port, http://host:port, https://host:port or ssh://user@host";

fn unix(path: &str) -> Result<Address, String> {
    if !path.starts_with('/') || path.ends_with('/') {
        return Err(
            "the absolute path of a socket is wanted, as in unix:///run/docker.sock".to_owned()
        );
    }
    Ok(Address::Unix(path.to_owned()))
}

fn tcp(rest: &str, encryption: Encryption) -> Result<Address, String> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err("a host and a port are wanted, without a path".to_owned());
    }
    if rest.contains('@') {
        return Err("TCP takes no user; TLS has certificates for that".to_owned());
    }
    let (host, port) = authority(rest)?;
    Ok(Address::Tcp { encryption, host, port })
}

fn ssh(rest: &str) -> Result<Address, String> {
    if rest.contains(['?', '#', '%']) {
        return Err(
            "it has '?', '#' or '%' in it, and ssh://[user@]host[:port][/path/to/socket] is wanted"
                .to_owned(),
        );
    }
    let (machine, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (user, machine) = match machine.rsplit_once('@') {
        Some((user, machine)) => (Some(user), machine),
        None => (None, machine),
    };
    match user {
        Some("") => return Err("the user before '@' is empty".to_owned()),
        Some(user) if user.contains(':') => {
            return Err("a password cannot be given here: ssh uses keys and agents".to_owned());
        }
        // `ssh` would take it for an option.
        Some(user) if user.starts_with('-') => return Err("the user begins with '-'".to_owned()),
        _ => {}
    }
    let socket = match path {
        "" | "/" => None,
        path if path.ends_with('/') => return Err("a socket's path does not end in '/'".to_owned()),
        path => Some(path.to_owned()),
    };
    let (host, port) = authority(machine)?;
    Ok(Address::Ssh(SshTarget { user: user.map(str::to_owned), host, port, socket }))
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn authority(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed
            .split_once(']')
            .ok_or_else(|| "a bracket is opened and not closed".to_owned())?;
        check_v6(host)?;
        match rest.strip_prefix(':') {
            _ if rest.is_empty() => (host, None),
            Some(port) => (host, Some(port)),
            None => return Err("only a port can follow the closing bracket".to_owned()),
        }
    } else {
        if text.matches(':').count() > 1 {
            return Err("an IPv6 address stands in brackets, as in tcp://[::1]:2375".to_owned());
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        check_name(host)?;
        (host, port)
    };
    let port = port.map(read_port).transpose()?;
    Ok((host.to_owned(), port))
}

fn check_name(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    if host.starts_with('-') {
        return Err("the host begins with '-'".to_owned());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    match host.chars().find(|&c| !fits(c)) {
        Some(bad) => Err(format!("the host has {bad:?} in it")),
        None => Ok(()),
    }
}

/// An IPv6 address, and maybe a zone.
fn check_v6(text: &str) -> Result<(), String> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    if address.parse::<Ipv6Addr>().is_err() {
        return Err("an IPv6 address is wanted in the brackets".to_owned());
    }
    zone.map_or(Ok(()), check_name)
}

fn read_port(text: &str) -> Result<u16, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(format!("{text:?} is no port: a number from 1 to 65535 is wanted")),
    }
}

/// The text as messages may show it.
fn without_password(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(start);
    if let Some((user, host)) = rest.rsplit_once('@')
        && let Some((user, _password)) = user.split_once(':')
    {
        return format!("{scheme}{user}:…@{host}");
    }
    text.to_owned()
}

fn write_host(host: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if host.contains(':') { write!(f, "[{host}]") } else { f.write_str(host) }
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Authority {
    /// The value of the `Host` header. The zone of an address says something on this machine only.
    pub(crate) fn header(&self) -> String {
        let host = self.host.split('%').next().unwrap_or_default().to_owned();
        Self { host, port: self.port }.to_string()
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_host(&self.host, f)?;
        write!(f, ":{}", self.port)
    }
}
