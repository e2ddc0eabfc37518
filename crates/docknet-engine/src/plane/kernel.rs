//! Networks on the Linux kernel: links, addresses, routes and rules, made directly.

mod firewall;
mod links;
mod namespace;
mod netlink;
mod nft;
