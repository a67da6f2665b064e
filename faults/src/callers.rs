//! The callers: each sends one command after the other, repeats it with the same request id until the answer is known, and
//! notes everything in the ledger. Now and then one goes away without waiting for an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use client::{Karibu, is_passing, reason};
use proto::karibu::profile::v1::GetPurchaseRequest;
use proto::karibu::ticketing::v1::GetComplaintRequest;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::asks::{self, Answer, Ask};
use crate::dice::Dice;
use crate::ledger::{Asked, Kind, Ledger, Outcome};
use crate::place::Place;
use crate::world::World;

/// Between two commands of a caller.
const PAUSE: Duration = Duration::from_millis(10);
/// Between two tries of a command.
const RETRY: Duration = Duration::from_millis(200);
/// Once everything is healed, every command must have its answer within this.
pub const ANSWER_AFTER_HEALING: Duration = Duration::from_secs(120);
/// How often a caller goes away, percent.
const GOES_AWAY_PERCENT: u64 = 4;
/// When it does so at the latest, milliseconds after it asked.
const LONGEST_STAY_MS: u64 = 25;
/// Complaints that a caller has open at a time.
const OPEN_COMPLAINTS: usize = 12;
/// The life of a complaint after it was opened.
const STEPS: [Kind; 7] =
    [Kind::Acknowledge, Kind::Understand, Kind::Assign, Kind::Investigate, Kind::Find, Kind::Offer, Kind::Choose];

/// What the callers saw besides their answers.
#[derive(Debug, Default)]
pub struct Seen {
    /// Answers that were no answer yet, by code and reason.
    pub retried: Mutex<BTreeMap<String, u64>>,
    /// What must never be seen.
    pub wrong: Mutex<Vec<String>>,
    /// How many commands were acknowledged.
    pub acknowledged: AtomicU64,
    /// Reads right after a write that showed it.
    pub read_back: Mutex<u64>,
    /// Some acknowledged commands of each kind with their answers, to be sent once more at the end.
    pub to_repeat: Mutex<Vec<(Ask, Answer)>>,
}

impl Seen {
    fn retry(&self, status: &Status) {
        let why =
            reason(status).map_or_else(|| format!("{:?}", status.code()), |why| format!("{:?} {why}", status.code()));
        *locked(&self.retried).entry(why).or_default() += 1;
    }

    fn wrong(&self, what: String) {
        locked(&self.wrong).push(what);
    }
}

/// A lock that a panic elsewhere does not matter to.
pub(crate) fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Complaint {
    id: String,
    customer: String,
    points: i64,
    proposal: String,
    step: usize,
}

/// One caller.
pub struct Caller {
    /// Which one.
    pub number: u64,
    /// The suite.
    pub place: Arc<Place>,
    /// Whom it is about.
    pub world: Arc<World>,
    /// Where it writes down.
    pub ledger: Ledger,
    /// What it sees.
    pub seen: Arc<Seen>,
    /// Ends it; from then on it only waits for its last answer.
    pub stop: CancellationToken,
    /// Its chance.
    pub dice: Dice,
}

impl Caller {
    /// Works until it is stopped.
    pub async fn work(mut self) -> anyhow::Result<()> {
        let mut complaints: Vec<Complaint> = Vec::new();
        let mut karibu = None;
        while !self.stop.is_cancelled() {
            let roll = self.dice.range(0, 100);
            if roll < 35 {
                self.buy(&mut karibu).await?;
            } else if roll < 50 {
                self.adjust(&mut karibu).await?;
            } else if complaints.len() < OPEN_COMPLAINTS && roll < 60 {
                complaints.extend(self.open(&mut karibu).await?);
            } else if !complaints.is_empty() {
                let at = usize::try_from(self.dice.range(0, complaints.len() as u64)).unwrap_or_default();
                let complaint = complaints.swap_remove(at);
                complaints.extend(self.step(&mut karibu, complaint).await?);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    fn key(&mut self) -> String {
        // Not of the dice: a run after another on the same databases must not meet its own keys.
        format!("c{}-{}", self.number, Uuid::now_v7().simple())
    }

    fn someone(&mut self) -> (String, String) {
        self.dice.pick(&self.world.customers).clone()
    }

    fn asked(&mut self, kind: Kind, customer: &str, complaint: &str, points: i64) -> Asked {
        Asked {
            request_id: client::request_id(),
            kind,
            key: self.key(),
            customer_id: customer.to_owned(),
            complaint_id: complaint.to_owned(),
            points,
        }
    }

    async fn buy(&mut self, karibu: &mut Option<Karibu>) -> anyhow::Result<()> {
        let (customer, _) = self.someone();
        let amount_minor = i64::try_from(self.dice.range(100, 5_000))?;
        let asked = self.asked(Kind::Purchase, &customer, "", amount_minor / asks::PER_POINT);
        let ask = asks::purchase(&self.world, &asked.request_id, &asked.key, &customer, amount_minor);
        self.perform(karibu, asked, ask).await?;
        Ok(())
    }

    async fn adjust(&mut self, karibu: &mut Option<Karibu>) -> anyhow::Result<()> {
        let (customer, account) = self.someone();
        let points = i64::try_from(self.dice.range(1, 60))?;
        let points = if self.dice.chance(60) { -points } else { points };
        let asked = self.asked(Kind::Adjust, &customer, "", points);
        let ask = asks::adjust(&self.world, &asked.request_id, &asked.key, &account, points);
        self.perform(karibu, asked, ask).await?;
        Ok(())
    }

    async fn open(&mut self, karibu: &mut Option<Karibu>) -> anyhow::Result<Option<Complaint>> {
        let (customer, _) = self.someone();
        let asked = self.asked(Kind::Open, &customer, "", 0);
        let ask = asks::open(&self.world, &asked.request_id, &asked.key, &customer);
        let answer = self.perform(karibu, asked, ask).await?;
        let points = i64::try_from(self.dice.range(1, 500))?;
        Ok(answer.map(|answer| Complaint { id: answer.id, customer, points, proposal: String::new(), step: 0 }))
    }

    async fn step(
        &mut self,
        karibu: &mut Option<Karibu>,
        mut complaint: Complaint,
    ) -> anyhow::Result<Option<Complaint>> {
        let kind = STEPS[complaint.step];
        let points = if kind == Kind::Choose { complaint.points } else { 0 };
        let asked = self.asked(kind, &complaint.customer, &complaint.id, points);
        let ask =
            asks::step(&self.world, kind, &asked.request_id, &complaint.id, complaint.points, &complaint.proposal);
        let Some(answer) = self.perform(karibu, asked, ask).await? else { return Ok(None) };
        complaint.proposal = answer.proposal;
        complaint.step += 1;
        Ok((complaint.step < STEPS.len()).then_some(complaint))
    }

    /// Sends a command until its answer is known.
    async fn perform(&mut self, karibu: &mut Option<Karibu>, asked: Asked, ask: Ask) -> anyhow::Result<Option<Answer>> {
        self.ledger.asked(asked.clone()).await?;
        if self.dice.chance(GOES_AWAY_PERCENT) {
            return self.go_away(karibu, &asked, &ask).await;
        }
        let (mut healed, goes_away) = (None, self.dice.chance(GOES_AWAY_PERCENT));
        loop {
            match self.try_once(karibu, &ask).await {
                Ok(answer) => {
                    let outcome = Outcome::Acknowledged { id: answer.id.clone(), etag: answer.etag.clone() };
                    self.ledger.ended(&asked.request_id, outcome).await?;
                    self.seen.acknowledged.fetch_add(1, Ordering::Relaxed);
                    if self.dice.chance(25) {
                        self.read_back(karibu, &asked, &answer).await;
                    }
                    if self.dice.chance(10) {
                        locked(&self.seen.to_repeat).push((ask, answer.clone()));
                    }
                    return Ok(Some(answer));
                }
                Err(status) if is_unknown(&status) => {
                    self.seen.retry(&status);
                    *karibu = None;
                    if goes_away {
                        self.ledger.ended(&asked.request_id, Outcome::GivenUp).await?;
                        return Ok(None);
                    }
                    if self.stop.is_cancelled() {
                        let since = *healed.get_or_insert_with(Instant::now);
                        if since.elapsed() > ANSWER_AFTER_HEALING {
                            self.seen.wrong(format!("{asked:?} has no answer: {status}"));
                            return Ok(None);
                        }
                    }
                    tokio::time::sleep(RETRY).await;
                }
                Err(status) => {
                    let why = reason(&status).unwrap_or_else(|| status.code().description().to_owned());
                    let expected = asked.kind == Kind::Adjust && why == "INSUFFICIENT_POINTS";
                    if !expected {
                        self.seen.wrong(format!("{asked:?} was refused: {status}"));
                    }
                    self.ledger.ended(&asked.request_id, Outcome::Refused(why)).await?;
                    return Ok(None);
                }
            }
        }
    }

    /// Sends a command and leaves before the answer, most of the time.
    async fn go_away(
        &mut self,
        karibu: &mut Option<Karibu>,
        asked: &Asked,
        ask: &Ask,
    ) -> anyhow::Result<Option<Answer>> {
        let stays = Duration::from_millis(self.dice.range(0, LONGEST_STAY_MS));
        let heard = tokio::time::timeout(stays, self.try_once(karibu, ask)).await;
        let outcome = match heard {
            Ok(Ok(answer)) => Outcome::Acknowledged { id: answer.id, etag: answer.etag },
            _ => Outcome::GivenUp,
        };
        self.ledger.ended(&asked.request_id, outcome).await?;
        Ok(None)
    }

    async fn try_once(&mut self, karibu: &mut Option<Karibu>, ask: &Ask) -> Result<Answer, Status> {
        let karibu = match karibu {
            Some(karibu) => karibu,
            None => {
                let gateway = usize::try_from(self.dice.range(0, 64)).unwrap_or_default();
                let fresh = self.place.client(gateway).await;
                karibu.insert(fresh.map_err(|error| Status::unavailable(error.to_string()))?)
            }
        };
        ask.send(karibu).await
    }

    /// What was acknowledged can be read at once, on any replica.
    async fn read_back(&self, karibu: &Option<Karibu>, asked: &Asked, answer: &Answer) {
        let Some(karibu) = karibu else { return };
        let found = match asked.kind {
            Kind::Purchase => {
                let request = GetPurchaseRequest { purchase_id: answer.id.clone() };
                let reply = karibu.profile().get_purchase(request).await;
                reply.map(|reply| reply.into_inner().purchase.map(|purchase| purchase.etag))
            }
            Kind::Adjust => return,
            _ => {
                let request = GetComplaintRequest { complaint_id: answer.id.clone() };
                let reply = karibu.ticketing().get_complaint(request).await;
                reply.map(|reply| reply.into_inner().complaint.map(|complaint| complaint.etag))
            }
        };
        let version = |etag: &str| etag.parse::<i64>().unwrap_or_default();
        match found {
            Ok(Some(etag)) if version(&etag) >= version(&answer.etag) => *locked(&self.seen.read_back) += 1,
            Err(status) if is_unknown(&status) => {}
            other => self.seen.wrong(format!("{asked:?} was acknowledged with {answer:?} and then read as {other:?}")),
        }
    }
}

/// Whether the outcome is open. An error that the suite itself calls internal is none of these: it is a defect.
pub(crate) fn is_unknown(status: &Status) -> bool {
    let by_the_transport = reason(status).is_none()
        && matches!(status.code(), Code::Internal | Code::Unknown | Code::Cancelled | Code::Aborted);
    is_passing(status) || status.code() == Code::DeadlineExceeded || by_the_transport
}
