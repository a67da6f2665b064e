//! Verified credentials, remembered for half a minute by their hash. Many calls with one unknown credential ask once; one
//! that was good is believed a while longer when nobody can be asked; guesses never push out a good one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use server::status;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::Credential;
use super::ask::ORGANIZATION;
use super::holder::Holder;
use crate::limits;

/// The holder of a credential.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who it is.
    pub holder: Holder,
    /// How long the credential still holds; `None` if it does not end.
    pub left: Option<Duration>,
}

/// Asks who holds a credential. UNAUTHENTICATED says that nobody does; any other failure says nothing about it.
pub type Ask = Arc<dyn Fn(Credential) -> BoxFuture<'static, Result<Verified, Status>> + Send + Sync>;

type Hash = [u8; 32];
type Outcome = Result<Holder, Status>;

/// The credentials that are known. Clones share them.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    ask: Ask,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<Hash, Known>,
    refused: HashMap<Hash, Instant>,
    asking: HashMap<Hash, watch::Receiver<Option<Outcome>>>,
}

struct Known {
    holder: Holder,
    fresh_until: Instant,
    stale_until: Instant,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Keys").field("known", &state.known.len()).field("refused", &state.refused.len()).finish()
    }
}

impl Keys {
    /// None yet; `ask` tells about them.
    pub fn new(ask: Ask) -> Self {
        Self(Arc::new(Inner { ask, state: Mutex::default() }))
    }

    /// The holder of the credential. UNAUTHENTICATED when there is none; UNAVAILABLE when nobody can be asked.
    pub async fn verify(&self, credential: &Credential) -> Result<Holder, Status> {
        let hash = credential.hash();
        let mut outcome = {
            let (now, mut state) = (Instant::now(), self.lock());
            if let Some(known) = state.known.get(&hash).filter(|known| known.fresh_until > now) {
                return Ok(known.holder.clone());
            }
            if state.refused.get(&hash).is_some_and(|until| *until > now) {
                return Err(status::unauthenticated());
            }
            if state.asking.len() >= limits::MAX_ASKING && !state.asking.contains_key(&hash) {
                return Err(status::overloaded());
            }
            match state.asking.entry(hash) {
                Entry::Occupied(asking) => asking.get().clone(),
                Entry::Vacant(vacant) => {
                    let (sender, receiver) = watch::channel(None);
                    // A task of its own: the question is for all who wait, and must not end with the first of them.
                    tokio::spawn(self.clone().ask(hash, credential.clone(), sender));
                    vacant.insert(receiver).clone()
                }
            }
        };
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(status::internal())),
            Err(_) => Err(status::internal()),
        }
    }

    /// Whether the credential was good not long ago, so that it is no guess.
    pub fn remembers(&self, credential: &Credential) -> bool {
        let (now, state) = (Instant::now(), self.lock());
        state.known.get(&credential.hash()).is_some_and(|known| known.stale_until > now)
    }

    async fn ask(self, hash: Hash, credential: Credential, sender: watch::Sender<Option<Outcome>>) {
        let asking = Asking { keys: self.clone(), hash };
        let answer = match tokio::time::timeout(limits::VERIFY_TIMEOUT, (self.0.ask)(credential)).await {
            Ok(answer) => answer,
            Err(_) => Err(status::unavailable(ORGANIZATION)),
        };
        let outcome = self.lock().settle(hash, answer);
        drop(asking);
        sender.send_replace(Some(outcome));
    }

    /// A panic elsewhere cannot leave the maps half written, so a poisoned lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that the question has ended, however it ended.
struct Asking {
    keys: Keys,
    hash: Hash,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.keys.lock().asking.remove(&self.hash);
    }
}

impl State {
    fn settle(&mut self, hash: Hash, answer: Result<Verified, Status>) -> Outcome {
        let now = Instant::now();
        match answer {
            Ok(Verified { holder, left }) => {
                let within = |span: Duration| now + left.map_or(span, |left| left.min(span));
                make_room(&mut self.known, |known| known.stale_until > now);
                let known = Known {
                    holder: holder.clone(),
                    fresh_until: within(limits::KEY_FRESH),
                    stale_until: within(limits::KEY_STALE),
                };
                self.known.insert(hash, known);
                Ok(holder)
            }
            Err(error) if error.code() == Code::Unauthenticated => {
                self.known.remove(&hash);
                make_room(&mut self.refused, |until| *until > now);
                self.refused.insert(hash, now + limits::KEY_REFUSED);
                Err(status::unauthenticated())
            }
            Err(error) => match self.known.get(&hash).filter(|known| known.stale_until > now) {
                Some(known) => {
                    tracing::warn!(code = ?error.code(), "a credential cannot be checked again, it is believed a while longer");
                    Ok(known.holder.clone())
                }
                None => Err(status::unavailable(ORGANIZATION)),
            },
        }
    }
}

/// Drops what is over; when everything still holds, drops everything: asking again is dear, not wrong.
fn make_room<V>(map: &mut HashMap<Hash, V>, holds: impl Fn(&V) -> bool) {
    if map.len() >= limits::MAX_KEYS {
        map.retain(|_, value| holds(value));
    }
    if map.len() >= limits::MAX_KEYS {
        map.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use server::auth::Principal;

    use super::*;

    fn credential(text: &str) -> Credential {
        Credential::read(text).unwrap()
    }

    /// Keys named `kb_good…` are good unless `mode` is 1 (revoked); with mode 2 nobody answers.
    fn keys() -> (Keys, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let (asked, mode) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counter, how) = (asked.clone(), mode.clone());
        let ask: Ask = Arc::new(move |credential: Credential| {
            counter.fetch_add(1, Ordering::SeqCst);
            let how = how.load(Ordering::SeqCst);
            Box::pin(async move {
                tokio::task::yield_now().await;
                match how {
                    2 => Err(status::unavailable("organization")),
                    0 if credential.secret().starts_with("kb_good") => {
                        Ok(Verified { holder: Holder::of(Principal::anonymous()), left: None })
                    }
                    _ => Err(Status::unauthenticated("no")),
                }
            })
        });
        (Keys::new(ask), asked, mode)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_asked_about_once_and_again_when_it_is_no_longer_fresh() {
        let (keys, asked, mode) = keys();
        let good = credential("kb_good");
        let many = (0..50).map(|_| keys.verify(&good));
        assert!(futures_util::future::join_all(many).await.iter().all(Result::is_ok));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        mode.store(1, Ordering::SeqCst);
        tokio::time::advance(limits::KEY_FRESH - Duration::from_secs(1)).await;
        assert!(keys.verify(&good).await.is_ok());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(keys.verify(&good).await.unwrap_err().code(), Code::Unauthenticated);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_key_is_refused_without_asking_for_a_moment() {
        let (keys, asked, mode) = keys();
        mode.store(1, Ordering::SeqCst);
        let key = credential("kb_good_later");
        for _ in 0..3 {
            assert_eq!(keys.verify(&key).await.unwrap_err().code(), Code::Unauthenticated);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        mode.store(0, Ordering::SeqCst);
        tokio::time::advance(limits::KEY_REFUSED).await;
        assert!(keys.verify(&key).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn when_nobody_can_be_asked_a_good_key_lives_on_for_a_while_and_a_new_one_waits() {
        let (keys, asked, mode) = keys();
        let good = credential("kb_good");
        keys.verify(&good).await.unwrap();
        mode.store(2, Ordering::SeqCst);
        assert_eq!(keys.verify(&credential("kb_good_new")).await.unwrap_err().code(), Code::Unavailable);
        tokio::time::advance(limits::KEY_STALE - Duration::from_secs(1)).await;
        assert!(keys.verify(&good).await.is_ok());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(keys.verify(&good).await.unwrap_err().code(), Code::Unavailable);
        assert!(asked.load(Ordering::SeqCst) >= 4, "an unanswered question is not remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_do_not_push_out_a_good_key() {
        let (keys, asked, _) = keys();
        let good = credential("kb_good");
        keys.verify(&good).await.unwrap();
        for guess in 0..limits::MAX_KEYS + 10 {
            let _ = keys.verify(&credential(&format!("kb_guess_{guess}"))).await;
        }
        let before = asked.load(Ordering::SeqCst);
        assert!(keys.verify(&good).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), before);
    }
}
