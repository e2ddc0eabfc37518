//! Where the time goes of figures that fall short of their goal, as profiles said it, and what was tried. By hand, as far as a profile is.

use crate::golden::fits;

/// The chapter, figures of it, each as it is or with `*` for any text, and what is known of them.
const PROFILES: &[(&str, &[&str], &str)] = &[
    (
        "sdk",
        &["sdk_get*"],
        "A `get` is 4 system calls where the bare socket has 2: tokio waits in epoll and reads then (4 µs more than a read that waits), and a \
         kept connection is looked at first, whether the engine has closed it (1.5 µs). hyper writes the head and reads the answer's with its \
         maps of headers (5 µs); the limit of time is a timer (1 µs); name and id of the answer are read, and UTF-8 looked at (1 µs). Done: \
         futures of 4 KB in the place of 16 (4 µs), an answer that is not gone through before somebody looks (2 µs). Tried and left: not to \
         look at a connection that was used a moment ago, which loses requests to engines that end, and saved nothing that could be seen.",
    ),
    (
        "sdk",
        &["sdk_list_1000*"],
        "Of 3.5 ms the kernel copies 0.4, buffers are copied twice (0.4: out of the socket's, and together into one), UTF-8 is looked at \
         (0.3), and the rest is to find where each network of 3 MB begins and ends: braces are searched, and between two of them quotes are \
         counted (1.5), since a brace may be in a string; ids and names are read (0.3). Done: before, strings were gone through one by one \
         (2.3). Tried and left: serde_json's raw values, which take longer.",
    ),
    (
        "kernel",
        &["create_*_to_kernel", "connect_*_to_kernel"],
        "The floor is one program that sends a few messages of netlink; ours has a socket, HTTP, a decision and two threads before that, and \
         rules of nf_tables. With its state on a disk a commit flushes twice besides (0.44 and 0.15 ms), while the kernel's work is done. And \
         the kernel has one lock for all links, in all namespaces: in this run four engines beside ours unregister theirs behind the answer, \
         which holds it for milliseconds at a time. With nobody else there, a create took 0.82 ms without a disk (2.3 times the floor of this \
         run). A connect also writes `/etc/hosts` of the container, which the floor does not. Tried: doing operations on tokio's own thread, \
         where no difference could be seen. Left: a journal of our own in the place of the store's two flushes.",
    ),
    (
        "kernel",
        &["create_*_dockerd_to_docknet", "disconnect_*_dockerd_to_docknet"],
        "The same lock, and the disk: dockerd's time is mostly its own (rules of iptables, programs that are started), so that who else holds \
         the lock adds little to it, and much to ours. An earlier run on the same kind of machine had 27.9 and 34 for creates among 10 and 100.",
    ),
    (
        "kernel",
        &["remove_*_to_10", "prune_*_to_10"],
        "Some of these took a tenth and some six times as long as the median: a removal that meets the kernel's lock for links while bridges are \
         unregistered waits for it. The median of a few rounds says little here.",
    ),
    (
        "engine",
        &["*_1000_to_10"],
        "In memory. Not profiled beyond a count of instructions (`bench/instructions.tsv`): to make and remove a network takes 1.14 times as many \
         among 1,000 as among 10, and to connect as many. The rest is presumably waiting for memory: what ten networks are made of stays in the \
         processor's cache, what a thousand are made of does not.",
    ),
    (
        "kernel",
        &["dns_latency_docknet_to_podman"],
        "Within the spread of being equal. Both read a packet, look it up and write one; what either does beside was not looked at.",
    ),
    (
        "kernel",
        &["connections_10_docknet_to_dockerd"],
        "The medians of both sides say the opposite (19,296 and 18,221 a second): rounds differ more than the two do.",
    ),
    (
        "build",
        &["clean_build_*", "program_size_*"],
        "docknet speaks TLS as it comes, by rustls and its cryptography, which take most of both; bollard as it comes does not. Without default \
         features docknet has neither.",
    ),
];

/// What is known of a figure.
pub(super) fn of(chapter: &str, figure: &str) -> Option<&'static str> {
    PROFILES
        .iter()
        .find(|(of, figures, _)| *of == chapter && figures.iter().any(|one| fits(one, figure)))
        .map(|(.., profile)| *profile)
}
