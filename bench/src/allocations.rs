//! An allocator that counts: how often, and how much there was at once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The system's allocator, counted.
pub struct Counting;

static TIMES: AtomicU64 = AtomicU64::new(0);
static NOW: AtomicU64 = AtomicU64::new(0);
static MOST: AtomicU64 = AtomicU64::new(0);

/// What some work allocated.
#[derive(Clone, Copy)]
pub struct Allocated {
    pub times: u64,
    /// The most bytes at once, beyond those that were there before.
    pub peak: u64,
}

/// Runs and counts, in all threads of this process.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let (times, before) = (TIMES.load(Relaxed), NOW.load(Relaxed));
    MOST.store(before, Relaxed);
    let done = work();
    let peak = MOST.load(Relaxed).saturating_sub(before);
    (done, Allocated { times: TIMES.load(Relaxed) - times, peak })
}

fn grown(bytes: usize) {
    TIMES.fetch_add(1, Relaxed);
    MOST.fetch_max(NOW.fetch_add(bytes as u64, Relaxed) + bytes as u64, Relaxed);
}

fn shrunk(bytes: usize) {
    NOW.fetch_sub(bytes as u64, Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is")]
// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        shrunk(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size);
        shrunk(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}
