//! Names that no other test of this machine uses: databases, NATS namespaces, folders.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// `prefix` (cleaned to `[a-z0-9_]`) plus 12 random hex digits and a counter: fits a database name (63 bytes) and a NATS token.
pub fn unique_name(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    let random = hasher.finish() & 0xffff_ffff_ffff;
    let prefix: String =
        prefix.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    format!("{prefix}_{random:012x}{:x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::unique_name;

    #[test]
    fn names_differ_and_are_clean() {
        let (one, two) = (unique_name("Customer-Profile"), unique_name("Customer-Profile"));
        assert_ne!(one, two);
        assert!(one.starts_with("customer_profile_"), "{one}");
        assert!(one.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{one}");
        assert!(unique_name(&"x".repeat(200)).len() <= 63);
    }
}
