//! Fuzzes `karibu_fuzz::resume_token`: resume tokens of event streams, and tokens of customers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::resume_token(data));
