//! Which events a subscriber wants, and which of them it may see. What it wants is bound into its token; what it may
//! see is asked anew for every stream.

use std::collections::HashSet;

use commit::LogEvent;
use kernel::BranchScope;
use proto::karibu::gateway::v1::EventFilter;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;

/// Conditions as they were asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    types: Vec<Pattern>,
    branches: Vec<Uuid>,
    aggregates: HashSet<Uuid>,
    customers: HashSet<Uuid>,
    hash: u64,
}

/// One event type, or all that begin so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pattern {
    Exact(String),
    Prefix(String),
}

impl Pattern {
    fn of(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(text.to_owned()),
        }
    }

    fn matches(&self, kind: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == kind,
            Self::Prefix(wanted) => kind.starts_with(wanted.as_str()),
        }
    }

    /// Whether events of `log` could match: their types begin with its name.
    fn may_match_in(&self, log: &str) -> bool {
        let begin = format!("karibu.{log}.");
        match self {
            Self::Exact(wanted) => wanted.starts_with(&begin),
            Self::Prefix(wanted) => wanted.starts_with(&begin) || begin.starts_with(wanted.as_str()),
        }
    }
}

impl Filter {
    /// The filter of a request. Its field rules were checked; an id that is none all the same is refused.
    pub fn of(filter: &EventFilter) -> Result<Self, Status> {
        let mut types: Vec<Pattern> = filter.types.iter().map(|text| Pattern::of(text)).collect();
        types.sort();
        types.dedup();
        let mut branches = ids("filter.branch_ids", &filter.branch_ids)?;
        branches.sort_unstable();
        branches.dedup();
        let mut this = Self {
            types,
            branches,
            aggregates: ids("filter.aggregate_ids", &filter.aggregate_ids)?.into_iter().collect(),
            customers: ids("filter.customer_ids", &filter.customer_ids)?.into_iter().collect(),
            hash: 0,
        };
        this.hash = this.digest();
        Ok(this)
    }

    /// The same for filters that mean the same, whatever their order.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The branches asked for, without what lies below them; empty means all.
    pub fn branches(&self) -> &[Uuid] {
        &self.branches
    }

    /// Whether `log` can hold events that are wanted.
    pub fn may_match_in(&self, log: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| pattern.may_match_in(log))
    }

    /// Whether `event` is wanted and lies within `reach`. An event without a branch is only for those who may see all.
    pub fn passes(&self, event: &LogEvent, reach: &BranchScope) -> bool {
        let within = match event.branch_id {
            Some(branch) => reach.allows(branch),
            None => reach.is_all(),
        };
        within
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&event.kind)))
            && (self.aggregates.is_empty() || self.aggregates.contains(&event.aggregate_id))
            && (self.customers.is_empty() || event.customer_id.is_some_and(|id| self.customers.contains(&id)))
    }

    fn digest(&self) -> u64 {
        let mut hash = Sha256::new();
        let mut add = |tag: u8, bytes: &[u8]| {
            hash.update([tag]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for pattern in &self.types {
            match pattern {
                Pattern::Exact(text) => add(1, text.as_bytes()),
                Pattern::Prefix(text) => add(2, text.as_bytes()),
            }
        }
        for (tag, ids) in [(4, &self.aggregates), (5, &self.customers)] {
            let mut ids: Vec<&Uuid> = ids.iter().collect();
            ids.sort_unstable();
            ids.iter().for_each(|id| add(tag, id.as_bytes()));
        }
        self.branches.iter().for_each(|id| add(3, id.as_bytes()));
        let digest = hash.finalize();
        digest.first_chunk().map_or(0, |chunk| u64::from_be_bytes(*chunk))
    }
}

fn ids(field: &str, texts: &[String]) -> Result<Vec<Uuid>, Status> {
    let parsed: Result<Vec<Uuid>, _> = texts.iter().map(|text| text.parse()).collect();
    parsed.map_err(|_| server::status::invalid([(field, "must be UUIDs")]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const A: Uuid = Uuid::from_u128(10);
    const B: Uuid = Uuid::from_u128(11);

    fn event(kind: &str, branch: Option<Uuid>) -> LogEvent {
        LogEvent {
            seq: 1,
            event_id: Uuid::from_u128(1),
            kind: kind.to_owned(),
            aggregate_type: "complaint".to_owned(),
            aggregate_id: Uuid::from_u128(2),
            aggregate_version: 1,
            branch_id: branch,
            customer_id: Some(Uuid::from_u128(3)),
            occurred_at_us: 0,
            recorded_at_us: 0,
            trace_context: None,
            payload: Bytes::new(),
        }
    }

    fn filter(types: &[&str]) -> Filter {
        Filter::of(&EventFilter { types: types.iter().map(|t| (*t).to_owned()).collect(), ..Default::default() })
            .unwrap()
    }

    #[test]
    fn types_match_exactly_or_by_their_beginning() {
        let opened = event("karibu.ticketing.complaint.opened.v1", Some(A));
        for (types, passes) in [
            (&[][..], true),
            (&["*"], true),
            (&["karibu.ticketing.*"], true),
            (&["karibu.ticketing.complaint.opened.v1"], true),
            (&["karibu.ticketing.complaint.opened"], false),
            (&["karibu.loyalty.*"], false),
            (&["karibu.loyalty.*", "karibu.ticketing.complaint.*"], true),
        ] {
            assert_eq!(filter(types).passes(&opened, &BranchScope::All), passes, "{types:?}");
        }
    }

    #[test]
    fn only_logs_that_can_match_are_read() {
        assert!(filter(&[]).may_match_in("ticketing"));
        assert!(filter(&["karibu.*"]).may_match_in("ticketing"));
        assert!(filter(&["karibu.tick*"]).may_match_in("ticketing"));
        assert!(filter(&["karibu.ticketing.complaint.opened.v1"]).may_match_in("ticketing"));
        assert!(!filter(&["karibu.loyalty.*"]).may_match_in("ticketing"));
        assert!(!filter(&["karibu.ticketing2.*"]).may_match_in("ticketing"));
    }

    #[test]
    fn reach_bounds_what_is_seen() {
        let all = filter(&[]);
        let only_a = BranchScope::only([A]);
        assert!(all.passes(&event("x", Some(A)), &only_a));
        assert!(!all.passes(&event("x", Some(B)), &only_a));
        assert!(!all.passes(&event("x", None), &only_a), "an event of no branch is for those who see all");
        assert!(all.passes(&event("x", None), &BranchScope::All));
        assert!(!all.passes(&event("x", Some(A)), &BranchScope::only([])));
    }

    #[test]
    fn aggregates_and_customers_narrow() {
        let narrowed = |aggregate: u128, customer: u128| {
            let filter = EventFilter {
                aggregate_ids: vec![Uuid::from_u128(aggregate).to_string()],
                customer_ids: vec![Uuid::from_u128(customer).to_string()],
                ..Default::default()
            };
            Filter::of(&filter).unwrap().passes(&event("x", Some(A)), &BranchScope::All)
        };
        assert!(narrowed(2, 3));
        assert!(!narrowed(9, 3) && !narrowed(2, 9));
    }

    #[test]
    fn a_hash_does_not_depend_on_order_and_depends_on_everything_else() {
        assert_eq!(filter(&["a.*", "b"]).hash(), filter(&["b", "a.*", "b"]).hash());
        let branch = |id: Uuid| EventFilter { branch_ids: vec![id.to_string()], ..Default::default() };
        let customer = EventFilter { customer_ids: vec![A.to_string()], ..Default::default() };
        let hashes: HashSet<u64> = [
            filter(&[]).hash(),
            filter(&["a"]).hash(),
            filter(&["a*"]).hash(),
            filter(&["ab"]).hash(),
            filter(&["a", "b"]).hash(),
            Filter::of(&branch(A)).unwrap().hash(),
            Filter::of(&branch(B)).unwrap().hash(),
            Filter::of(&customer).unwrap().hash(),
        ]
        .into_iter()
        .collect();
        assert_eq!(hashes.len(), 8);
    }
}
