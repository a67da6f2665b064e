//! The loyalty service: programmes, accounts and the points ledger.

pub mod domain;
pub mod store;

/// Short name.
pub const NAME: &str = "loyalty";

/// The loyalty service as the write path sees it.
#[derive(Debug)]
pub struct Loyalty;

impl commit::Service for Loyalty {
    const NAME: &'static str = NAME;
    type World = domain::Books;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = domain::Programs;

    async fn settings(_: &mut ::store::Conn) -> ::store::Result<domain::Programs> {
        Ok(domain::Programs::default())
    }
}
impl commit::DomainEvent for domain::Event {
    fn kind(&self) -> &'static str {
        ""
    }
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
}
impl commit::Answer for domain::Adjusted {
    type Wire = ();
    fn to_wire(&self) {}
}
impl commit::Answer for domain::Enrolled {
    type Wire = ();
    fn to_wire(&self) {}
}
impl commit::Answer for domain::Created {
    type Wire = ();
    fn to_wire(&self) {}
}
impl commit::Answer for domain::Updated {
    type Wire = ();
    fn to_wire(&self) {}
}
