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
        &[
            "create_*_to_kernel",
            "connect_*_to_kernel",
            "row_create_*_to_kernel",
            "row_connect_*_to_kernel",
        ],
        "The floor is one program that sends a few messages of netlink; ours is a server beside a client. A trace of the system calls of one \
         create after a rest, 1.3 ms without a disk, has 0.53 for links, addresses and rules; 0.05 to read what others changed of the host's links; \
         0.11, 0.12 and 0.07 to read the request, to decide and to write the answer; and 0.4 between threads that wake one another: the client's, \
         tokio's, the one that may wait for the kernel, and back. In a row the same is 0.6: 0.3, 0.03, 0.2 and 0.1. With its state on a disk two \
         flushes go on while the kernel's work does: 1.4 ms after a rest, less than the kernel's work in a row. Done: a link's number comes with \
         its acknowledgement, and `/etc/hosts` of a container, which the floor does not write, is written in place and not emptied first, which \
         took a connect from 1.70 to 1.31 ms. Tried: to do the work on tokio's own thread (a fourteenth less after a rest, nothing with a disk in \
         a row); with that the whole program optimised as one and one flush in the place of two, which were not taken apart (together another \
         sixteenth after a rest, nothing in a row; the second flush is what tells a damaged last change from one that was cut short).",
    ),
    (
        "kernel",
        &["create_*_dockerd_to_docknet", "disconnect_*_dockerd_to_docknet"],
        "After a rest, where ours waits for the processor to wake and its caches to fill, as the trace under the kernel's floor has it; dockerd, \
         which starts programs, has little of that in its time. In a row is how a program makes several. With a thousand networks a disconnection after a \
         rest takes twice as long as with ten, and so it does in an engine of ours that has ten itself while the others have their thousand: which \
         of them it waits for was not looked at.",
    ),
    (
        "kernel",
        &["row_create_*_to_10", "row_connect_*_to_10", "create_*_to_10", "connect_*_to_10"],
        "The kernel's own work grows: see what it takes alone with as many.",
    ),
    (
        "kernel",
        &[
            "remove_*_to_10",
            "prune_*_to_10",
            "disconnect_*_to_10",
            "inspect_*_to_10",
            "row_*_to_10",
        ],
        "Rounds differ more than twenty times from one another, so that the median of a few says little. A removal that meets the kernel's lock for \
         links while bridges are unregistered waits for it.",
    ),
    (
        "engine",
        &["*_1000_to_10"],
        "In memory, it is the processor's cache. Counted by cachegrind with 2 MiB of it, each network with ten containers: a `get` takes 131 thousand \
         instructions among 10 networks and 135 among 1,000, and misses the cache 0 and 236 times, about twenty for each container that it \
         tells of: 68 ns for each makes up the difference. To make and remove a network takes 208 and 243 thousand instructions, 29 and 56 misses: \
         a tree of a thousand has more to walk and to copy. Ten such networks are 0.8 MB, a thousand are 72. Left: records that lie together.",
    ),
    (
        "kernel",
        &["dns_latency_docknet_to_podman"],
        "Within the spread of being equal. Both read a packet, look it up and write one; what either does beside was not looked at.",
    ),
    (
        "kernel",
        &["throughput_*", "connections_*"],
        "Packets between containers of one network go from port to port of a bridge, and meet no rule of either engine's: rounds, and two \
         dockerds beside each other, differ as much.",
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
