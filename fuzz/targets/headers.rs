//! Fuzzes `karibu_fuzz::headers`: headers of requests.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::headers(data));
