#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| docknet_engine::fuzz::bodies(data));
