//! Callers of the till: each asks one thing after another, with a key, and asks again until it has an answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use commit::{Refused, Submission};
use store::Uuid;
use tokio::time::Instant;

use super::parts::Harbours;
use super::plan::{Ask, CALLERS, Command, Plan};
use super::play::BEGIN_US;
use super::port::pass;
use super::sabotage::Sabotage;
use super::shops::{Ring, SetReminder};

/// A caller without an answer asks again after this time.
const PATIENCE: Duration = Duration::from_millis(40);
/// Deadlines of callers lie beyond the end of every run.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// What callers were told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcomes(Arc<Mutex<Vec<Outcome>>>);

/// What a caller was told that it never should be.
pub(crate) type Unheard = Refused<()>;

/// The answer to one command; no number = refused by the rules.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) number: u64,
    pub(crate) answer: Result<Option<i64>, Unheard>,
    /// The answer to the repeat, if there was one.
    pub(crate) again: Option<Result<Option<i64>, Unheard>>,
}

impl Outcomes {
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Outcome]) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts all callers of `plan`.
pub(crate) fn start(plan: &Plan, harbours: &Harbours, began: Instant) -> Outcomes {
    let outcomes = Outcomes::default();
    for caller in 0..CALLERS {
        let commands: Vec<_> = plan.commands.iter().filter(|command| command.caller == caller).cloned().collect();
        tokio::spawn(call(commands, harbours.clone(), outcomes.clone(), began));
    }
    outcomes
}

async fn call(commands: Vec<Command>, harbours: Harbours, outcomes: Outcomes, began: Instant) {
    for command in commands {
        tokio::time::sleep_until(began + Duration::from_millis(command.at_ms)).await;
        let answer = ask(&harbours, &command, 0).await;
        let mut again = None;
        if let (Ok(Some(_)), Some(ms)) = (&answer, command.again_ms) {
            pass(Duration::from_millis(ms)).await;
            again = Some(ask(&harbours, &command, 1).await);
        }
        let outcome = Outcome { number: command.number, answer, again };
        outcomes.0.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    }
}

/// Asks, for the first time (0) or once more (1), until there is an answer; no number = refused by the rules.
pub(crate) async fn ask(harbours: &Harbours, command: &Command, again: u128) -> Result<Option<i64>, Unheard> {
    loop {
        let door = harbours.writer.borrow().clone();
        if let Some(door) = door {
            let forgotten = harbours.is_broken(Sabotage::KeysAreForgotten);
            let submission = submission(command, if forgotten { again } else { 0 });
            let answered = match &command.ask {
                Ask::Ring { basket, amount, takes_ms } => {
                    let (basket, number) = (basket_id(*basket), command.number);
                    let ring = Ring { basket, amount: *amount, command: number, takes_ms: *takes_ms };
                    door.submit(submission, ring).await
                }
                Ask::Remind { due_ms } => {
                    let due_at_us = BEGIN_US + *due_ms as i64 * 1_000;
                    door.submit(submission, SetReminder { id: reminder_id(command.number), due_at_us }).await
                }
            };
            match answered {
                Ok(answer) => return Ok(Some(answer)),
                Err(Refused::Refusal(())) => return Ok(None),
                Err(refused) if refused.is_transient() => {}
                Err(refused) => return Err(refused),
            }
        }
        pass(PATIENCE).await;
    }
}

fn submission(command: &Command, again: u128) -> Submission {
    Submission {
        key: Uuid::from_u128(0xc0_0000 + u128::from(command.number) + (again << 100)),
        fingerprint: 0,
        until: std::time::Instant::now() + FOR_EVER,
        by: Arc::from("caller"),
        trace: None,
        cause: None,
    }
}

/// The id of a basket of the plan.
pub(crate) const fn basket_id(basket: u64) -> Uuid {
    Uuid::from_u128(0xba_0000 + basket as u128)
}

/// The id of the reminder that a command sets.
pub(crate) const fn reminder_id(command: u64) -> Uuid {
    Uuid::from_u128(0x7e_0000 + command as u128)
}
