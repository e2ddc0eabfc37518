//! Networks on the Linux kernel: links, addresses, routes and rules, made directly.

mod links;
mod namespace;
mod netlink;
