//! Fuzzes `karibu_fuzz::json`: requests over HTTP/JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::json(data));
