//! The timers: each looks for what has fallen due and submits ordinary commands. Whether anything is still due is for the
//! verbs to decide, so a timer may be late, run twice, or run in several replicas.

use commit::{Door, Verb};
use futures_util::future::try_join_all;
use kernel::{Clock, Cursor};
use server::Kit;
use uuid::Uuid;

use crate::domain::ComplaintId;
use crate::domain::verbs::{ClocksComeDue, DeadlineComes, FollowUpComesDue, IndexWords, Recalculate, RulesSwept};
use crate::events::brings_words;
use crate::store::Reads;
use crate::{Config, Ticketing};

/// Events whose words are brought into the index in one go: few enough that nobody waits for the writing of their words.
const INDEX_EVENTS: usize = 200;

/// What a timer works with.
#[derive(Clone)]
struct Desk {
    clock: Clock,
    door: Door<Ticketing>,
    reads: Reads,
}

/// Starts all of them.
pub(crate) fn start(kit: &Kit, config: &Config, door: &Door<Ticketing>, reads: &Reads) {
    let desk = Desk { clock: kit.clock.clone(), door: door.clone(), reads: reads.clone() };
    let follow_ups = desk.clone();
    kit.every("follow-ups", config.timer_period(), move || {
        let desk = follow_ups.clone();
        async move { desk.follow_ups().await }
    });
    let clocks = desk.clone();
    kit.every("clocks", config.timer_period(), move || {
        let desk = clocks.clone();
        async move { desk.clocks().await }
    });
    let deadlines = desk.clone();
    kit.every("deadlines", config.timer_period(), move || {
        let desk = deadlines.clone();
        async move { desk.deadlines().await }
    });
    let words = desk.clone();
    kit.every("words", config.timer_period(), move || {
        let desk = words.clone();
        async move { desk.words().await }
    });
    kit.every("rules", config.timer_period(), move || {
        let desk = desk.clone();
        async move { desk.rules().await }
    });
}

impl Desk {
    /// Submits all of `verbs` in the name of a timer.
    async fn fire<V: Verb<Ticketing, Reply = ()>>(
        &self,
        timer: &'static str,
        verbs: impl Iterator<Item = V>,
    ) -> anyhow::Result<()> {
        try_join_all(verbs.map(|verb| self.door.fire(timer, verb))).await?;
        Ok(())
    }

    async fn follow_ups(self) -> anyhow::Result<()> {
        let due = self.reads.list_due(self.clock.now_us()).await?;
        self.fire("timer:follow-ups", due.into_iter().map(|follow_up| FollowUpComesDue { follow_up })).await
    }

    async fn clocks(self) -> anyhow::Result<()> {
        let due = self.reads.list_clocks_due(self.clock.now_us()).await?;
        self.fire("timer:clocks", due.into_iter().map(|complaint| ClocksComeDue { complaint })).await
    }

    async fn deadlines(self) -> anyhow::Result<()> {
        let due = self.reads.list_deadlines_due(self.clock.now_us()).await?;
        self.fire("timer:deadlines", due.into_iter().map(|deadline| DeadlineComes { deadline })).await
    }

    /// Brings the words of what changed into the index. A part of the log at a time: searching may lag, writing may not.
    async fn words(self) -> anyhow::Result<()> {
        let after_seq = self.reads.indexed_seq().await?;
        let events = self.door.log().read(after_seq, INDEX_EVENTS).await?;
        let Some(last) = events.last() else { return Ok(()) };
        let mut changed: Vec<Uuid> =
            events.iter().filter(|event| brings_words(&event.kind)).map(|event| event.aggregate_id).collect();
        changed.sort_unstable();
        changed.dedup();
        let entries = if changed.is_empty() { Vec::new() } else { self.reads.list_words(&changed).await? };
        let verb = IndexWords { after_seq, to_seq: last.seq, entries };
        self.fire("timer:words", std::iter::once(verb)).await
    }

    /// Reckons the clocks of all open cases anew after the rules have changed. Begins again after a crash.
    async fn rules(self) -> anyhow::Result<()> {
        let Some(book) = self.reads.find_rule_book().await?.filter(|book| book.swept < book.revision) else {
            return Ok(());
        };
        let mut after = Cursor { sort: i64::MIN, id: Uuid::nil() };
        loop {
            let open = self.reads.list_open_after(after).await?;
            let Some(last) = open.last() else { break };
            after = *last;
            let verbs = open.iter().map(|place| Recalculate { complaint: ComplaintId(place.id) });
            self.fire("timer:rules", verbs).await?;
        }
        self.fire("timer:rules", std::iter::once(RulesSwept { revision: book.revision })).await
    }
}
