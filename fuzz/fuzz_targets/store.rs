#![no_main]

// The store contains redb's panics; the hook of libFuzzer would end the process at each. Those that nobody contains end it
// all the same.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| docknet_engine::fuzz::store(data)
);
