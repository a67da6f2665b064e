//! When API keys were last used: gathered here, and told to the service that keeps the keys once a minute, so that no
//! call waits for it. A use is noted when a key is verified, so the time is right to half a minute.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use proto::karibu::organization::v1 as org;
use uuid::Uuid;

use crate::limits;

/// The uses that nobody was told of yet. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Uses(Arc<Mutex<HashMap<Uuid, SystemTime>>>);

impl fmt::Debug for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uses").field("keys", &self.lock().len()).finish()
    }
}

impl Uses {
    /// Notes that the key with this id opens the door now. What is no id of a key is passed over, and so are further keys
    /// when there are very many.
    pub(super) fn note(&self, key_id: &str) {
        let Ok(id) = key_id.parse() else { return };
        let mut uses = self.lock();
        if uses.len() < limits::MAX_KEYS || uses.contains_key(&id) {
            uses.insert(id, SystemTime::now());
        }
    }

    /// Takes the uses out, in pieces that one call can carry.
    pub(super) fn take(&self) -> Vec<Vec<(Uuid, SystemTime)>> {
        let all: Vec<(Uuid, SystemTime)> = self.lock().drain().collect();
        all.chunks(limits::USES_AT_ONCE).map(<[_]>::to_vec).collect()
    }

    /// Puts back what could not be told; a later use has come in its place, if there was one.
    pub(super) fn put_back(&self, uses: Vec<(Uuid, SystemTime)>) {
        let mut held = self.lock();
        for (id, at) in uses {
            held.entry(id).or_insert(at);
        }
    }

    /// A panic elsewhere cannot leave the map half written, so a poisoned lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, SystemTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request that tells of these uses.
pub(super) fn telling(uses: &[(Uuid, SystemTime)]) -> org::RecordApiKeyUseRequest {
    let told =
        |(id, at): &(Uuid, SystemTime)| org::ApiKeyUse { api_key_id: id.to_string(), use_time: Some((*at).into()) };
    org::RecordApiKeyUseRequest { request_id: Uuid::now_v7().to_string(), uses: uses.iter().map(told).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_gathered_by_key_and_taken_in_pieces() {
        let uses = Uses::default();
        for _ in 0..3 {
            uses.note("0190163d-8694-739b-aea5-966c26f8ad91");
        }
        uses.note("ann");
        let taken = uses.take();
        assert_eq!((taken.len(), taken.concat().len()), (1, 1));
        assert!(uses.take().is_empty());
        for number in 0..limits::MAX_KEYS + 10 {
            uses.note(&Uuid::from_u128(number as u128).to_string());
        }
        let taken = uses.take();
        assert_eq!(taken.concat().len(), limits::MAX_KEYS);
        assert!(taken.iter().all(|piece| piece.len() <= limits::USES_AT_ONCE));
    }

    #[test]
    fn what_could_not_be_told_waits_and_gives_way_to_what_is_later() {
        let uses = Uses::default();
        let (early, id) = (SystemTime::UNIX_EPOCH, Uuid::from_u128(7));
        uses.put_back(vec![(id, early)]);
        assert_eq!(uses.take().concat(), [(id, early)]);
        uses.note(&id.to_string());
        uses.put_back(vec![(id, early)]);
        assert!(uses.take().concat().iter().all(|(_, at)| *at > early));
    }
}
