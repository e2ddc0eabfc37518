//! Where the time goes of figures that fall short of their goal, as profiles said it, and what was tried. By hand, as far as a profile is.

use crate::golden::fits;

/// The figures, each as it is or with `*` for any text, and what is known of them.
const PROFILES: &[(&[&str], &str)] = &[
    (
        &["sdk_get*"],
        "A `get` is 4 system calls where the bare socket has 2: tokio waits in epoll and reads then (4 µs more than a read that waits), and a \
         kept connection is looked at first, whether the engine has closed it (1.5 µs). hyper writes the head and reads the answer's with its \
         maps of headers (5 µs); the limit of time is a timer (1 µs); name and id of the answer are read, and UTF-8 looked at (1 µs). Done: \
         futures of 4 KB in the place of 16 (4 µs), an answer that is not gone through before somebody looks (2 µs). Tried and left: not to \
         look at a connection that was used a moment ago, which loses requests to engines that end, and saved nothing that could be seen.",
    ),
    (
        &["sdk_list_1000*"],
        "Of 3.5 ms the kernel copies 0.4, buffers are copied twice (0.4: out of the socket's, and together into one), UTF-8 is looked at \
         (0.3), and the rest is to find where each network of 3 MB begins and ends: braces are searched, and between two of them quotes are \
         counted (1.5), since a brace may be in a string; ids and names are read (0.3). Done: before, strings were gone through one by one \
         (2.3). Tried and left: serde_json's raw values, which take longer.",
    ),
    (
        &["create*to_floor*", "create*floor*", "connect*floor*"],
        "With the state on a disk a commit flushes twice (0.44 and 0.15 ms), and the thread that does so has to be woken, while the kernel's own \
         work takes a fraction of a millisecond. Without a disk the goal is reached. Tried: doing operations on tokio's own thread, where no \
         difference could be seen. Left: a journal of our own in the place of the store's two flushes.",
    ),
    (
        &["create_10*dockerd*", "create_10"],
        "What ours takes is the kernel's work beside the disk's two flushes. dockerd's own time grows with the number of networks, and ours \
         does not: with a hundred the goal is reached.",
    ),
    (
        &["disconnect*"],
        "A disconnect sets links down, strips the one inside of addresses and name, and leaves the rest to the reaper; each of these requests \
         takes the kernel's one lock for links, which is held for milliseconds at a time by whoever unregisters links: the other engines of \
         the same run, which do that all the while, and our reaper.",
    ),
    (
        &["dns_latency*aardvark*", "*aardvark*latency*"],
        "Both read a packet, look it up and write one. Ours also waits for all containers' sockets at once on one thread, where aardvark has one \
         socket a network: one system call more.",
    ),
];

/// What is known of a figure.
pub(super) fn of(figure: &str) -> Option<&'static str> {
    PROFILES
        .iter()
        .find(|(figures, _)| figures.iter().any(|pattern| fits(pattern, figure)))
        .map(|(_, profile)| *profile)
}
