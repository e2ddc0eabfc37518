//! Where the time goes of figures that fall short of their goal, as profiles said it, and what was tried. By hand, as far as a profile is.

use crate::golden::fits;

/// The chapter, figures of it, each as it is or with `*` for any text, and what is known of them.
const PROFILES: &[(&str, &[&str], &str)] = &[
    (
        "sdk",
        &["sdk_get*"],
        "A `get` is 4 system calls where the bare socket has 2: tokio waits in epoll and reads then, and a kept connection is looked at first, \
         whether the engine has closed it. A sampling profile has two fifths of the time in the kernel, half of that in epoll; the rest is hyper's \
         reading and writing of heads, headers as maps, a timer for the limit of time, memory that is asked for, and the name and id of the \
         answer, each a few hundredths. Done: futures of 4 KB in the place of 16, and an answer that is not gone through before somebody looks, \
         which took a tenth. Tried and left: not to look at a connection that was used a moment ago, which does not notice an engine that has \
         closed it, and saved nothing that could be seen.",
    ),
    (
        "sdk",
        &["sdk_list_1000*"],
        "By a sampling profile a good two fifths are to find where each network of 3 MB begins and ends: braces are searched, and between two of \
         them quotes are counted, since a brace may be in a string. Buffers are copied twice (a tenth: out of the socket's, and together into \
         one), the kernel copies once (a tenth), UTF-8 is looked at (a thirteenth), and ids, names and memory for them are the rest. Done: \
         before, strings were gone through one by one, and the same list took 4.3 ms in the place of 3.5.",
    ),
    (
        "kernel",
        &["create_*_to_kernel", "connect_*_to_kernel"],
        "The floor is one program that sends a few messages of netlink; ours has a socket, HTTP, a decision and two threads before that, and \
         rules of nf_tables. With its state on a disk a commit flushes twice besides (0.44 and 0.15 ms), while the kernel's work is done. And \
         the kernel has one lock for all links, in all namespaces: in this run other engines unregister theirs meanwhile, which holds it for \
         milliseconds at a time; that this is the reason is presumed. With nobody else there, a create took 0.82 ms without a disk (2.3 times the floor of this \
         run). A connect also writes `/etc/hosts` of the container, which the floor does not. Tried: doing operations on tokio's own thread, \
         where no difference could be seen. Left: a journal of our own in the place of the store's two flushes.",
    ),
    (
        "kernel",
        &["create_*_dockerd_to_docknet", "disconnect_*_dockerd_to_docknet"],
        "Presumably the same lock, and the disk: dockerd starts programs and changes iptables' rules, so that who else holds the lock adds little \
         to its time, and much to ours. An earlier run on the same kind of machine had 27.9 and 34 for creates among 10 and 100.",
    ),
    (
        "kernel",
        &["remove_*_to_10", "prune_*_to_10"],
        "Rounds differ more than twenty times from one another, so that the median of a few says little. A removal that meets the kernel's lock for \
         links while bridges are unregistered waits for it.",
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
        "docknet speaks TLS as it comes, by rustls and its cryptography; bollard as it comes does not. How much of both that takes was not measured.",
    ),
];

/// What is known of a figure.
pub(super) fn of(chapter: &str, figure: &str) -> Option<&'static str> {
    PROFILES
        .iter()
        .find(|(of, figures, _)| *of == chapter && figures.iter().any(|one| fits(one, figure)))
        .map(|(.., profile)| *profile)
}
