//! Messages of the bench's own service: its events (about 250 bytes) and its reply.

use commit::DomainEvent;
use prost::Message;

use super::rows::Complaint;
use super::verbs::Open;

/// Fills an event up to the size of a real one.
const DETAIL: &str = "codes and amounts only: category late_delivery, channel counter, severity 3, currency RWF, \
                      policy standard, calendar weekdays, queue front, language rw, source walk-in, tags -";

/// What a caller hears.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Receipt {
    /// Id of the complaint.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    /// Its version.
    #[prost(int64, tag = "2")]
    pub(crate) version: i64,
    /// When an answer is due.
    #[prost(int64, tag = "3")]
    pub(crate) due_at_us: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Fact {
    #[prost(bytes = "vec", tag = "1")]
    branch_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    customer_id: Vec<u8>,
    #[prost(int64, tag = "3")]
    amount: i64,
    #[prost(int64, tag = "4")]
    reserved: i64,
    #[prost(string, tag = "5")]
    detail: String,
}

/// What it tells the others.
#[derive(Debug)]
pub(crate) struct Event {
    kind: &'static str,
    fact: Fact,
}

impl Event {
    pub(super) fn opened(open: &Open) -> Self {
        let fact = Fact {
            branch_id: open.branch_id.as_bytes().to_vec(),
            customer_id: open.customer_id.as_bytes().to_vec(),
            amount: 0,
            reserved: 0,
            detail: DETAIL.to_owned(),
        };
        Self { kind: "complaint.opened", fact }
    }

    pub(super) fn changed(complaint: &Complaint, what: &str, reserved: i64) -> Self {
        let fact = Fact {
            branch_id: complaint.branch_id.as_bytes().to_vec(),
            customer_id: complaint.customer_id.as_bytes().to_vec(),
            amount: complaint.amount,
            reserved,
            detail: DETAIL.to_owned(),
        };
        let kind = if what == "closed" { "complaint.closed" } else { "complaint.proposed" };
        Self { kind, fact }
    }
}

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn encode(&self) -> Vec<u8> {
        self.fact.encode_to_vec()
    }
}
