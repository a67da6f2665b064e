//! The keys of the issuer, for as long as they may be believed: fetched anew after ten minutes, by one task at a time and
//! not oftener than every half minute, whoever asks; the last good ones live on for a day while the issuer is away.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::token::Key;
use crate::limits;

/// Gets the keys of the issuer.
pub(super) type Fetch = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<Vec<Key>>> + Send + Sync>;

/// What became of the question for a key.
#[derive(Debug)]
pub(super) enum Found {
    /// The key.
    Key(Key),
    /// The issuer has no such key, as far as is known.
    Unknown,
    /// No keys are known, and the issuer cannot be asked.
    Away,
}

/// The keys. Clones share them.
#[derive(Clone)]
pub(super) struct Ring(Arc<Inner>);

struct Inner {
    fetch: Fetch,
    state: Mutex<State>,
    /// Held while the keys are fetched: who comes meanwhile waits for the outcome.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, Key>,
    /// When the keys came.
    loaded_at: Option<Instant>,
    /// When the last attempt ended, whatever came of it.
    tried_at: Option<Instant>,
    /// The last attempt failed.
    failing: bool,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("keys", &self.lock().keys.len()).finish_non_exhaustive()
    }
}

impl Ring {
    /// No keys yet; `fetch` gets them when the first is asked for.
    pub(super) fn new(fetch: Fetch) -> Self {
        Self(Arc::new(Inner { fetch, state: Mutex::default(), fetching: Arc::default() }))
    }

    /// The key with this id.
    pub(super) async fn find(&self, id: &str) -> Found {
        let (held, refresh, failing) = {
            let (now, state) = (Instant::now(), self.lock());
            (state.find(id, now), state.may_try(now) && !state.is_fresh(id, now), state.failing)
        };
        match held {
            Some(key) if !refresh => return Found::Key(key),
            // The issuer was away a moment ago: nobody waits for it again while there is a key.
            Some(key) if failing => {
                if self.0.fetching.try_lock().is_ok() {
                    tokio::spawn(self.clone().refresh());
                }
                return Found::Key(key);
            }
            None if !refresh => return self.lock().outcome(id, Instant::now()),
            _ => {}
        }
        // A task of its own: the keys are for all who wait, and their coming must not end with the first of them.
        if let Err(error) = tokio::spawn(self.clone().refresh()).await {
            tracing::error!(%error, "fetching the keys of the issuer did not end well");
        }
        self.lock().outcome(id, Instant::now())
    }

    async fn refresh(self) {
        let _fetching = self.0.fetching.lock().await;
        if !self.lock().may_try(Instant::now()) {
            // Someone else has just done it.
            return;
        }
        let fetched = match tokio::time::timeout(limits::ISSUER_TIMEOUT, (self.0.fetch)()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(anyhow::anyhow!("it did not answer in time")),
        };
        let now = Instant::now();
        let mut state = self.lock();
        state.tried_at = Some(now);
        match fetched {
            Ok(keys) => {
                if state.failing {
                    tracing::info!("the issuer of access tokens answers again");
                }
                state.keys = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
                (state.loaded_at, state.failing) = (Some(now), false);
            }
            Err(error) => {
                // Once for each time that it goes away.
                if !state.failing {
                    tracing::warn!(error = format!("{error:#}"), "the issuer of access tokens cannot be asked");
                }
                state.failing = true;
            }
        }
    }

    /// A panic elsewhere cannot leave the keys half written, so a poisoned lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, id: &str, now: Instant) -> Option<Key> {
        self.loaded_at.filter(|at| now - *at < limits::ISSUER_KEYS_KEPT)?;
        self.keys.get(id).cloned()
    }

    /// The key is there and needs no other look.
    fn is_fresh(&self, id: &str, now: Instant) -> bool {
        self.loaded_at.is_some_and(|at| now - at < limits::ISSUER_KEYS_FRESH) && self.keys.contains_key(id)
    }

    fn may_try(&self, now: Instant) -> bool {
        self.tried_at.is_none_or(|at| now - at >= limits::ISSUER_RETRY)
    }

    fn outcome(&self, id: &str, now: Instant) -> Found {
        match self.find(id, now) {
            Some(key) => Found::Key(key),
            None if self.loaded_at.is_some_and(|at| now - at < limits::ISSUER_KEYS_KEPT) => Found::Unknown,
            None => Found::Away,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
    use std::time::Duration;

    use jsonwebtoken::jwk::Jwk;

    use super::*;

    const AWAY: u32 = 1;
    const HANGING: u32 = 2;

    fn key(id: &str) -> Key {
        let jwk = format!(
            r#"{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
        );
        Key::of(&serde_json::from_str::<Jwk>(&jwk).unwrap()).unwrap()
    }

    /// An issuer with the keys `a` and, later, `b`.
    struct Place {
        ring: Ring,
        asked: Arc<AtomicUsize>,
        mode: Arc<AtomicU32>,
        keys: Arc<Mutex<Vec<Key>>>,
    }

    impl Place {
        fn new() -> Self {
            let (asked, mode, keys) =
                (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(vec![key("a")])));
            let (counter, how, known) = (asked.clone(), mode.clone(), keys.clone());
            let fetch: Fetch = Arc::new(move || {
                counter.fetch_add(1, Ordering::SeqCst);
                let (how, keys) = (how.load(Ordering::SeqCst), known.lock().unwrap().clone());
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    match how {
                        AWAY => Err(anyhow::anyhow!("away")),
                        HANGING => std::future::pending().await,
                        _ => Ok(keys),
                    }
                })
            });
            Self { ring: Ring::new(fetch), asked, mode, keys }
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        async fn find(&self, id: &str) -> &'static str {
            match self.ring.find(id).await {
                Found::Key(key) => {
                    assert_eq!(key.id, id);
                    "key"
                }
                Found::Unknown => "unknown",
                Found::Away => "away",
            }
        }
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_come_at_once_ask_once() {
        let place = Place::new();
        let all = futures_util::future::join_all((0..100).map(|_| place.find("a"))).await;
        assert!(all.iter().all(|found| *found == "key"));
        assert_eq!(place.asked(), 1);
        pass(599).await;
        assert_eq!((place.find("a").await, place.asked()), ("key", 1));
        pass(1).await;
        let all = futures_util::future::join_all((0..100).map(|_| place.find("a"))).await;
        assert!(all.iter().all(|found| *found == "key"));
        assert_eq!(place.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_unknown_keys_asks_twice_a_minute() {
        let place = Place::new();
        for second in 0..120 {
            for _ in 0..1_000 {
                assert_eq!(place.find("x").await, "unknown");
            }
            assert_eq!(place.asked(), 1 + second / 30);
            pass(1).await;
        }
        assert_eq!(place.find("a").await, "key");
        place.keys.lock().unwrap().push(key("b"));
        assert_eq!(place.find("b").await, "key", "the last attempt is 30 s old");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_keys_live_for_a_day() {
        let place = Place::new();
        assert_eq!(place.find("a").await, "key");
        place.mode.store(AWAY, Ordering::SeqCst);
        for _ in 0..(24 * 60 - 1) {
            pass(60).await;
            assert_eq!(place.find("a").await, "key");
            assert_eq!(place.find("b").await, "unknown");
        }
        pass(60).await;
        assert_eq!(place.find("a").await, "away");
        place.mode.store(0, Ordering::SeqCst);
        pass(30).await;
        assert_eq!(place.find("a").await, "key");
    }

    #[tokio::test(start_paused = true)]
    async fn an_issuer_that_hangs_is_waited_for_once() {
        let place = Place::new();
        assert_eq!(place.find("a").await, "key");
        place.mode.store(HANGING, Ordering::SeqCst);
        pass(600).await;
        let begun = Instant::now();
        assert_eq!(place.find("a").await, "key");
        assert_eq!(begun.elapsed(), limits::ISSUER_TIMEOUT);
        for _ in 0..10 {
            pass(30).await;
            let begun = Instant::now();
            assert_eq!(place.find("a").await, "key");
            assert_eq!(begun.elapsed(), Duration::ZERO, "it is asked beside the call");
            pass(limits::ISSUER_TIMEOUT.as_secs()).await;
        }
        assert!(place.asked() > 5);
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_key_the_issuer_is_away_and_not_pestered() {
        let place = Place::new();
        place.mode.store(AWAY, Ordering::SeqCst);
        for _ in 0..100 {
            assert_eq!(place.find("a").await, "away");
        }
        assert_eq!(place.asked(), 1);
    }
}
