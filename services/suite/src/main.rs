//! The binary `karibu`.
fn main() {}
