//! Finding complaints: by words and by what is known of them, in pages, counted, or all of them one page after another. And
//! what the indexer reads.

mod rows;
mod sql;

use std::collections::HashMap;

use ::store::{Arg, Result, args};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use super::rows::ComplaintRow;
use super::{Page, Reads, Span, all};
use crate::domain::complaint::{Complaint, Severity};
use crate::domain::lifecycle::State;
use crate::domain::search::{MAX_QUERY_WORDS, MAX_WORDS, words_of};
use crate::domain::sla::SlaState;
use crate::domain::{BranchId, CaseFile, ComplaintId, CustomerId, StaffId};

pub use sql::ALL as STATEMENTS;

/// A word that stands in more complaints than this is not counted on.
const COMMON: i64 = 1_000;
/// Parts of conversations that the indexer reads in one go.
const BODIES_LIMIT: i64 = 5_000;

/// What to find; all that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Words that must all stand in it.
    pub words: String,
    /// In one of these states; empty means all.
    pub states: Vec<State>,
    /// At one of these branches; `None` means all.
    pub branches: Option<Vec<BranchId>>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this owner.
    pub owner: Option<StaffId>,
    /// Code of what it is about.
    pub category: Option<String>,
    /// Code of its cause.
    pub cause: Option<String>,
    /// Of these severities; empty means all.
    pub severities: Vec<Severity>,
    /// Standing so with its clocks; empty means anyhow.
    pub sla_states: Vec<SlaState>,
    /// Opened from here to there.
    pub opened: Option<Span>,
}

/// How many of a kind were found.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Found {
    /// Their state.
    pub state: String,
    /// Their severity.
    pub severity: String,
    /// How they stand with their clocks.
    pub sla_state: String,
    /// How many.
    pub number: i64,
}

/// The values that every search binds.
struct Bound {
    all: bool,
    scope: Vec<Uuid>,
    states: Vec<String>,
    any_branch: bool,
    branches: Vec<Uuid>,
    customer: Option<Uuid>,
    owner: Option<Uuid>,
    category: Option<String>,
    cause: Option<String>,
    severities: Vec<String>,
    sla_states: Vec<String>,
    opened: Span,
}

/// The rarest word of a query and the others; `Nothing` when a word stands nowhere.
enum Words {
    None,
    Nowhere,
    Some(String, Vec<String>),
}

fn codes<C: Copy>(wanted: &[C], every: &[C], code: impl Fn(C) -> &'static str) -> Vec<String> {
    let chosen = if wanted.is_empty() { every } else { wanted };
    chosen.iter().map(|value| code(*value).to_owned()).collect()
}

impl Bound {
    fn new(wanted: &Wanted, scope: &BranchScope) -> Self {
        Self {
            all: scope.is_all(),
            scope: scope.branches().to_vec(),
            states: codes(&wanted.states, State::ALL, State::code),
            any_branch: wanted.branches.is_none(),
            branches: wanted.branches.iter().flatten().map(|branch| branch.uuid()).collect(),
            customer: wanted.customer.map(CustomerId::uuid),
            owner: wanted.owner.map(StaffId::uuid),
            category: wanted.category.clone(),
            cause: wanted.cause.clone(),
            severities: codes(&wanted.severities, Severity::ALL, Severity::code),
            sla_states: codes(&wanted.sla_states, SlaState::ALL, SlaState::code),
            opened: wanted.opened.unwrap_or_else(|| Span::new(None, None)),
        }
    }

    /// $1 to $13.
    fn args(&self) -> Vec<Arg<'_>> {
        args![
            self.all,
            self.scope.as_slice(),
            self.states.as_slice(),
            self.any_branch,
            self.branches.as_slice(),
            self.customer,
            self.owner,
            self.category.as_deref(),
            self.cause.as_deref(),
            self.severities.as_slice(),
            self.sla_states.as_slice(),
            self.opened.from_us,
            self.opened.before_us,
        ]
        .to_vec()
    }

    /// The one branch whose index is walked, if there is one.
    fn only_branch(&self) -> Option<Uuid> {
        match (self.branches.as_slice(), self.scope.as_slice()) {
            ([only], _) if !self.any_branch => Some(*only),
            (_, [only]) if !self.all => Some(*only),
            _ => None,
        }
    }
}

impl Reads {
    /// A page of what is found, newest first.
    pub async fn search(&self, wanted: &Wanted, scope: &BranchScope, page: &PageRequest) -> Result<Page<CaseFile>> {
        let mut found = self.search_after(wanted, scope, page.after, page.limit()).await?;
        let next = page.cut(&mut found, place_of);
        Ok(Page { items: self.with_follow_ups(found, scope).await?, next })
    }

    /// What is found behind `after`, newest first, at most `limit`.
    pub async fn search_after(
        &self,
        wanted: &Wanted,
        scope: &BranchScope,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Complaint>> {
        let last = after.unwrap_or(Cursor { sort: i64::MAX, id: Uuid::max() });
        let bound = Bound::new(wanted, scope);
        let only = bound.only_branch();
        let mut given = bound.args();
        given.extend_from_slice(args![last.sort, last.id, limit, only]);
        let reader = self.reader.within(scope);
        let rows: Vec<ComplaintRow> = match self.weigh(&wanted.words).await? {
            Words::Nowhere => return Ok(Vec::new()),
            Words::None if only.is_some() => reader.fetch_all(sql::FOUND_IN_BRANCH, &given).await?,
            Words::None => reader.fetch_all(sql::FOUND, &given).await?,
            Words::Some(rarest, others) => {
                given.extend_from_slice(args![rarest.as_str(), others.as_slice()]);
                reader.fetch_all(sql::WORDED, &given).await?
            }
        };
        all(rows)
    }

    /// How many a search would find, by what tells them apart.
    pub async fn count_found(&self, wanted: &Wanted, scope: &BranchScope) -> Result<Vec<Found>> {
        let bound = Bound::new(wanted, scope);
        let mut given = bound.args();
        let reader = self.reader.within(scope);
        match self.weigh(&wanted.words).await? {
            Words::Nowhere => Ok(Vec::new()),
            Words::None => reader.fetch_all(sql::COUNTED, &given).await,
            Words::Some(rarest, others) => {
                given.extend_from_slice(args![rarest.as_str(), others.as_slice()]);
                reader.fetch_all(sql::COUNTED_WORDED, &given).await
            }
        }
    }

    /// Puts the words of a query in order: a search walks the rarest one.
    async fn weigh(&self, query: &str) -> Result<Words> {
        let words = words_of([query], MAX_QUERY_WORDS);
        if words.is_empty() {
            // Signs alone are no words: what was asked for stands nowhere.
            return Ok(if query.trim().is_empty() { Words::None } else { Words::Nowhere });
        }
        let mut weighed = Vec::with_capacity(words.len());
        for word in words {
            let (frequency,): (i64,) =
                self.reader.beyond_scope().fetch_one(sql::FREQUENCY, args![word.as_str(), COMMON]).await?;
            if frequency == 0 {
                return Ok(Words::Nowhere);
            }
            weighed.push((frequency, word));
        }
        weighed.sort();
        let mut words = weighed.into_iter().map(|(_, word)| word);
        Ok(words.next().map_or(Words::None, |rarest| Words::Some(rarest, words.collect())))
    }

    /// The last event whose words are in the index.
    pub async fn indexed_seq(&self) -> Result<i64> {
        let row: Option<(i64,)> = self.reader.beyond_scope().fetch_optional(sql::INDEXED, &[]).await?;
        Ok(row.map_or(0, |(seq,)| seq))
    }

    /// The words of these complaints, with the time of their opening.
    pub async fn list_words(&self, complaints: &[Uuid]) -> Result<Vec<(ComplaintId, i64, Vec<String>)>> {
        let rows: Vec<ComplaintRow> = self.reader.beyond_scope().fetch_all(sql::BY_ID, args![complaints]).await?;
        let bodies: Vec<(Uuid, Uuid, Uuid, Vec<u8>)> =
            self.reader.beyond_scope().fetch_all(sql::BODIES, args![complaints, BODIES_LIMIT]).await?;
        let sealed: Vec<_> = bodies.iter().map(|(_, subject, id, body)| (*subject, *id, body.as_slice())).collect();
        // What was said to an erased customer is gone from the index with its key.
        let texts = self.keys.open("interaction", "body", &sealed).await?;
        let mut said: HashMap<Uuid, Vec<String>> = HashMap::new();
        for ((complaint, ..), body) in bodies.into_iter().zip(texts) {
            said.entry(complaint).or_default().extend(body);
        }
        let words = |complaint: Complaint| {
            let said = said.remove(&complaint.id.uuid()).unwrap_or_default();
            let texts = texts_of(&complaint).into_iter().chain(said.iter().map(String::as_str));
            (complaint.id, complaint.opened_at_us, words_of(texts, MAX_WORDS))
        };
        Ok(all(rows)?.into_iter().map(words).collect())
    }
}

/// The place of a complaint in a list.
pub(crate) fn place_of(complaint: &Complaint) -> Cursor {
    Cursor { sort: complaint.opened_at_us, id: complaint.id.uuid() }
}

/// The texts of a complaint, those that matter most first.
fn texts_of(complaint: &Complaint) -> Vec<&str> {
    let story = &complaint.story;
    let mut texts = vec![complaint.number.as_str(), story.subject.as_str(), story.narrative.as_str()];
    texts.extend(story.category.as_deref());
    texts.extend(story.desired_outcome.as_deref());
    texts.extend(story.understanding.as_ref().map(|ours| ours.paraphrase.as_str()));
    texts.extend(story.findings.iter().map(|finding| finding.summary.as_str()));
    texts.extend(story.resolution.as_ref().map(|resolution| resolution.reason.as_str()));
    if let Some(origin) = &story.origin {
        texts.extend([origin.source_ref.as_str(), origin.product.as_str(), origin.sub_product.as_str()]);
        texts.extend([origin.issue.as_str(), origin.sub_issue.as_str()]);
    }
    texts
}
