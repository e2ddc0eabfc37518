//! System calls that the programs of images are refused: those that containers have no use for, and by which a defect of the kernel's
//! would be within their reach.
//!
//! Which they are, and which capability opens them, follows Docker's own profile (`profiles/seccomp` of moby, documented at
//! docs.docker.com/engine/security/seccomp). That one lists what is allowed. Here it is what is not, and whatever is newer than the
//! list is not there: either way, nobody has a call that nobody has looked at.

use rustix::io::Errno;
use rustix::thread::CapabilitySet as Caps;

/// What the kernel goes through at each system call.
#[derive(Debug)]
pub(super) struct Filter(Vec<Instruction>);

/// As `struct sock_filter` has it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Instruction {
    code: u16,
    /// How many are skipped, if what is compared is so, and if it is not.
    then: u8,
    otherwise: u8,
    value: u32,
}

/// Calls, and capabilities any of which opens them. No call of these does more for who has the capability than it is there for.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const REFUSED: &[(Caps, &[libc::c_long])] = &[
    (
        Caps::SYS_ADMIN,
        &[
            libc::SYS_fanotify_init,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fsopen,
            libc::SYS_fspick,
            libc::SYS_lookup_dcookie,
            libc::SYS_mount,
            libc::SYS_mount_setattr,
            libc::SYS_move_mount,
            libc::SYS_open_tree,
            libc::SYS_quotactl,
            libc::SYS_quotactl_fd,
            libc::SYS_setdomainname,
            libc::SYS_sethostname,
            libc::SYS_setns,
            libc::SYS_umount2,
            libc::SYS_unshare,
            LSM_GET_SELF_ATTR,
            LSM_SET_SELF_ATTR,
            LSM_LIST_MODULES,
        ],
    ),
    (Caps::SYS_ADMIN.union(Caps::BPF), &[libc::SYS_bpf]),
    (Caps::SYS_ADMIN.union(Caps::PERFMON), &[libc::SYS_perf_event_open]),
    (Caps::SYS_ADMIN.union(Caps::SYSLOG), &[libc::SYS_syslog]),
    (Caps::SYS_BOOT, &[libc::SYS_reboot]),
    (Caps::SYS_MODULE, &[libc::SYS_delete_module, libc::SYS_finit_module, libc::SYS_init_module]),
    (
        Caps::SYS_NICE,
        &[
            libc::SYS_get_mempolicy,
            libc::SYS_mbind,
            libc::SYS_set_mempolicy,
            libc::SYS_set_mempolicy_home_node,
        ],
    ),
    (Caps::SYS_PACCT, &[libc::SYS_acct]),
    (Caps::SYS_PTRACE, &[libc::SYS_kcmp, libc::SYS_pidfd_getfd, libc::SYS_process_madvise]),
    (Caps::SYS_TIME, &[libc::SYS_clock_settime, libc::SYS_settimeofday]),
    (Caps::SYS_TTY_CONFIG, &[libc::SYS_vhangup]),
    (Caps::DAC_READ_SEARCH, &[libc::SYS_open_by_handle_at]),
    #[cfg(target_arch = "x86_64")]
    (Caps::SYS_RAWIO, &[libc::SYS_ioperm, libc::SYS_iopl]),
    // Nothing opens these.
    (
        Caps::empty(),
        &[
            libc::SYS_add_key,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_io_uring_setup,
            libc::SYS_kexec_load,
            libc::SYS_keyctl,
            libc::SYS_migrate_pages,
            libc::SYS_move_pages,
            libc::SYS_pivot_root,
            libc::SYS_request_key,
            libc::SYS_swapoff,
            libc::SYS_swapon,
            libc::SYS_userfaultfd,
            KEXEC_FILE_LOAD,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_sysfs,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_uselib,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_ustat,
        ],
    ),
];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const REFUSED: &[(Caps, &[libc::c_long])] = &[];

// Not every libc has these. All architectures number new calls alike.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const LSM_GET_SELF_ATTR: libc::c_long = 459;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const LSM_SET_SELF_ATTR: libc::c_long = 460;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const LSM_LIST_MODULES: libc::c_long = 461;
#[cfg(target_arch = "x86_64")]
const KEXEC_FILE_LOAD: libc::c_long = 320;
#[cfg(target_arch = "aarch64")]
const KEXEC_FILE_LOAD: libc::c_long = 294;

/// `removexattrat` of Linux 6.13, the last that was looked at.
const LAST: u32 = 466;
/// What a process may enter by `clone` that is a namespace (linux/sched.h: CLONE_NEWNS to CLONE_NEWNET, CLONE_NEWCGROUP).
const NAMESPACES: u32 = 0x7e02_0000;
/// The `personality` of Linux itself, of other addresses, of 32 bits; and the one that only asks (linux/personality.h).
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, u32::MAX];

/// Families of sockets (linux/socket.h) that hardly anybody has a use for: DECnet, Econet, ATM, IrDA, WANPIPE, ISDN, CAIF, the kernel's
/// ciphers (`AF_ALG`), virtual machines (`AF_VSOCK`); and whatever comes after the last that was looked at.
const FAMILIES: [u32; 9] = [12, 19, 20, 23, 25, 34, 37, 38, 40];
const LAST_FAMILY: u32 = 45;
// linux/audit.h
#[cfg(target_arch = "x86_64")]
const OWN: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const OWN: Option<u32> = Some(0xc000_00b7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OWN: Option<u32> = None;

/// Whether it is known how this machine numbers its calls.
pub(crate) const IS_KNOWN: bool = OWN.is_some();

// Places in `struct seccomp_data`. These machines have the lower half of an argument first.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

// linux/bpf_common.h
const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const GREATER: u16 = 0x25;
const HAS_ANY: u16 = 0x45;
const ANSWER: u16 = 0x06;
// linux/seccomp.h
const ALLOW: u32 = 0x7fff_0000;
const FAIL: u32 = 0x0005_0000;

impl Filter {
    /// Of a program that has these capabilities. None, where it is not known how the machine numbers its calls.
    pub(super) fn new(capabilities: Caps) -> Option<Self> {
        let mut filter = Self(Vec::new());
        let (refuse, unknown) = (fail(Errno::PERM), fail(Errno::NOSYS));
        let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
        filter.load(ARCHITECTURE);
        filter.add(EQUAL, 1, 0, OWN?);
        filter.answer(unknown);
        filter.load(NUMBER);
        filter.answer_if(GREATER, LAST, unknown);
        for (openers, calls) in REFUSED {
            if !capabilities.intersects(*openers) {
                calls.iter().for_each(|call| filter.answer_if(EQUAL, number(*call), refuse));
            }
        }
        if !capabilities.contains(Caps::SYS_ADMIN) {
            filter.by_argument(number(libc::SYS_clone), |filter| {
                filter.answer_if(HAS_ANY, NAMESPACES, refuse);
                filter.answer(ALLOW);
            });
            // Its flags are where no filter sees them. Libraries go on with the other one.
            filter.answer_if(EQUAL, number(libc::SYS_clone3), unknown);
        }
        filter.by_argument(number(libc::SYS_personality), |filter| {
            PERSONALITIES.iter().for_each(|one| filter.answer_if(EQUAL, *one, ALLOW));
            filter.answer(refuse);
        });
        filter.by_argument(number(libc::SYS_socket), |filter| {
            FAMILIES.iter().for_each(|one| filter.answer_if(EQUAL, *one, refuse));
            filter.answer_if(GREATER, LAST_FAMILY, refuse);
            filter.answer(ALLOW);
        });
        filter.answer(ALLOW);
        Some(filter)
    }

    /// From now on, for the calling process and whatever it executes. It takes `CAP_SYS_ADMIN`, or that nothing more can be gained.
    #[expect(unsafe_code, reason = "rustix does not have this system call")]
    pub(super) fn install(&self) -> Result<(), Errno> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.0.len()).map_err(|_| Errno::TOOBIG)?,
            filter: self.0.as_ptr().cast_mut().cast(),
        };
        const NO_FLAGS: libc::c_uint = 0;
        // SAFETY: the kernel copies these instructions, which are as it has them, and changes nothing.
        let done = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                NO_FLAGS,
                &raw const program,
            )
        };
        match done {
            0 => Ok(()),
            _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
        }
    }

    fn load(&mut self, place: u32) {
        self.add(LOAD, 0, 0, place);
    }

    fn answer(&mut self, answer: u32) {
        self.add(ANSWER, 0, 0, answer);
    }

    fn answer_if(&mut self, is: u16, value: u32, answer: u32) {
        self.add(is, 0, 1, value);
        self.answer(answer);
    }

    /// What a call is answered with, by what its first argument is.
    fn by_argument(&mut self, call: u32, write: impl FnOnce(&mut Self)) {
        let at = self.0.len();
        self.add(EQUAL, 0, 0, call);
        self.load(FIRST_ARGUMENT);
        write(self);
        let length = self.0.len() - at - 1;
        if let Some(branch) = self.0.get_mut(at) {
            branch.otherwise = u8::try_from(length).unwrap_or(u8::MAX);
        }
    }

    fn add(&mut self, code: u16, then: u8, otherwise: u8, value: u32) {
        self.0.push(Instruction { code, then, otherwise, value });
    }
}

fn fail(why: Errno) -> u32 {
    FAIL | why.raw_os_error().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_CAPABILITIES;
    use super::*;

    /// As the kernel goes through it.
    fn answer(filter: &Filter, architecture: u32, call: u32, argument: u32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let Instruction { code, then, otherwise, value } = filter.0[at];
            let is = match code {
                LOAD => {
                    loaded = match value {
                        NUMBER => call,
                        ARCHITECTURE => architecture,
                        FIRST_ARGUMENT => argument,
                        other => panic!("nothing is at {other}"),
                    };
                    at += 1;
                    continue;
                }
                ANSWER => return value,
                EQUAL => loaded == value,
                GREATER => loaded > value,
                HAS_ANY => loaded & value != 0,
                other => panic!("no such code: {other}"),
            };
            at += 1 + usize::from(if is { then } else { otherwise });
        }
    }

    fn asked(capabilities: Caps, call: i64, argument: u32) -> u32 {
        let filter = Filter::new(capabilities).unwrap();
        answer(&filter, OWN.unwrap(), u32::try_from(call).unwrap(), argument)
    }

    #[test]
    fn what_every_program_does_is_allowed() {
        for call in
            [libc::SYS_read, libc::SYS_execve, libc::SYS_ptrace, libc::SYS_setuid, i64::from(LAST)]
        {
            assert_eq!(asked(DEFAULT_CAPABILITIES, call, 0), ALLOW, "{call}");
        }
        let (inet, netlink) = (libc::AF_INET.unsigned_abs(), libc::AF_NETLINK.unsigned_abs());
        for family in [inet, netlink] {
            assert_eq!(asked(DEFAULT_CAPABILITIES, libc::SYS_socket, family), ALLOW);
        }
        let thread = (libc::CLONE_VM | libc::CLONE_THREAD | libc::SIGCHLD).unsigned_abs();
        assert_eq!(asked(DEFAULT_CAPABILITIES, libc::SYS_clone, thread), ALLOW);
        assert_eq!(asked(DEFAULT_CAPABILITIES, libc::SYS_personality, 0), ALLOW);
    }

    #[test]
    fn a_capability_opens_what_is_its_own() {
        let refused = fail(Errno::PERM);
        for (openers, calls) in REFUSED {
            for call in *calls {
                assert_eq!(asked(DEFAULT_CAPABILITIES, *call, 0), refused, "{call}");
                for opener in openers.iter() {
                    let more = DEFAULT_CAPABILITIES | opener;
                    assert_eq!(asked(more, *call, 0), ALLOW, "{call}");
                }
            }
        }
        let namespace = libc::CLONE_NEWUSER.unsigned_abs();
        assert_eq!(asked(DEFAULT_CAPABILITIES, libc::SYS_clone, namespace), refused);
        assert_eq!(asked(DEFAULT_CAPABILITIES, libc::SYS_clone3, 0), fail(Errno::NOSYS));
        let more = DEFAULT_CAPABILITIES | Caps::SYS_ADMIN;
        assert_eq!(asked(more, libc::SYS_clone, namespace), ALLOW);
        assert_eq!(asked(more, libc::SYS_clone3, 0), ALLOW);
    }

    #[test]
    fn nothing_opens_some_and_what_is_not_known_is_not_there() {
        let (refused, unknown) = (fail(Errno::PERM), fail(Errno::NOSYS));
        let all = Caps::all();
        assert_eq!(asked(all, libc::SYS_keyctl, 0), refused);
        assert_eq!(asked(all, libc::SYS_io_uring_setup, 0), refused);
        assert_eq!(asked(all, libc::SYS_personality, 0x0040_0000), refused);
        for family in FAMILIES.into_iter().chain([LAST_FAMILY + 1]) {
            assert_eq!(asked(all, libc::SYS_socket, family), refused, "{family}");
        }
        assert_eq!(asked(all, i64::from(LAST) + 1, 0), unknown);
        let filter = Filter::new(all).unwrap();
        // Calls of 32 bits have other numbers: in one case by a bit, in the other by an architecture.
        assert_eq!(answer(&filter, OWN.unwrap(), 0x4000_0000, 0), unknown);
        assert_eq!(answer(&filter, 0x4000_0003, 3, 0), unknown);
    }
}
