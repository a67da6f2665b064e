//! Fuzzes `karibu_fuzz::frames`: frames of gRPC.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| karibu_fuzz::frames(data));
