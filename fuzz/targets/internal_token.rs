//! Fuzzes `karibu_fuzz::internal_token`: internal tokens of callers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::internal_token(data));
