//! Fuzzes `karibu_fuzz::page_token`: page tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::page_token(data));
