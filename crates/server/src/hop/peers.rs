//! The services that this process can call, by name: filled at start, or one by one as an embedded suite starts.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Upstream;

/// The known services. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Peers(Arc<RwLock<BTreeMap<String, Upstream>>>);

impl Peers {
    /// The service with this name.
    pub fn find(&self, name: &str) -> Option<Upstream> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Makes a service known.
    pub fn put(&self, name: &str, upstream: Upstream) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), upstream);
    }

    /// Forgets all of them: what runs in this process is let go.
    pub fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The names of all known services, sorted.
    pub fn names(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}
