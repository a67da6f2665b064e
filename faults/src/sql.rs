//! What the checks ask the databases: all SQL of the harness. It reads only.

/// The head of a log.
pub(crate) const HEAD: &str = "select last_seq from log_head";
/// How far a service has read.
pub(crate) const CURSORS: &str = "select source_log, \"cursor\" from consumer";
/// What was put aside.
pub(crate) const DEAD: &str = "select (select count(*) from dead_letter) + (select count(*) from parked_key)";
/// All purchases.
pub(crate) const PURCHASES: &str = "select id, source_ref, earning_minor from purchase";
/// All timelines.
pub(crate) const TIMELINE: &str = "select id, service from timeline_entry";
/// All complaints.
pub(crate) const COMPLAINTS: &str = "select id, coalesce(doc->>'subject', '') from complaint";
/// The points ledger.
pub(crate) const ENTRIES: &str = "select purchase_id, compensation_id, reason_code, points from ledger_entry";
/// All accounts.
pub(crate) const ACCOUNTS: &str = "select customer_id, available from account";
/// The whole log.
pub(crate) const EVENTS: &str = "select seq, event_id, type, aggregate_id, aggregate_version, customer_id, payload \
                          from event_log order by seq";
