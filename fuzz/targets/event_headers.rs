//! Fuzzes `karibu_fuzz::event_headers`: headers of events on the bus.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::event_headers(data));
