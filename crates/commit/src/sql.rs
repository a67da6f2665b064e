//! All SQL of the write path that is not generated from tables.

use store::Sql;

/// Begins a transaction, locks the head of the log and reads it: one message, before anything else.
pub(crate) const LOCK_HEAD: Sql = Sql::split(
    "begin; select last_seq, settings_version, batch from log_head where id = 1 for update",
    "begin immediate; select last_seq, settings_version, batch from log_head where id = 1",
);

/// Counts the batch too: a replica that finds the number where it left it knows that nobody has written since.
pub(crate) const MOVE_HEAD: Sql =
    Sql::same("update log_head set last_seq = $1, settings_version = $2, batch = batch + 1 where id = 1");

/// The same for a replica that did not lock the head: touches nothing when another one has saved a batch since.
pub(crate) const MOVE_HEAD_ALONE: Sql = Sql::same(
    "update log_head set last_seq = $1, settings_version = $2, batch = batch + 1 where id = 1 and batch = $3",
);

pub(crate) const BATCH: Sql = Sql::same("select batch from log_head where id = 1");

pub(crate) const BOUNDS: Sql = Sql::same("select epoch, floor_seq, last_seq from log_head where id = 1");

pub(crate) const SETTINGS_VERSION: Sql = Sql::same("select settings_version from log_head where id = 1");

pub(crate) const REPLIES: Sql = Sql::split(
    "select key, fingerprint, reply from request where key = any($1)",
    "select key, fingerprint, reply from request where key in (select unhex(value) from json_each($1))",
);

pub(crate) const READ_LOG: Sql = Sql::same(
    "select seq, event_id, type, aggregate_type, aggregate_id, aggregate_version, branch_id, customer_id, \
     occurred_at_us, recorded_at_us, trace_context, payload from event_log where seq > $1 order by seq limit $2",
);

pub(crate) const CURSOR: Sql = Sql::same("select epoch, cursor from consumer where id = $1");

pub(crate) const LIST_DEAD: Sql = Sql::same(
    "select id, consumer, source_log, seq, aggregate_id, type, event, reason, status, parked_at_us from dead_letter \
     where consumer = $1 and source_log = $2 and seq > $3 and status = 'parked' order by seq limit $4",
);

pub(crate) const LIST_DEAD_OF: Sql = Sql::same(
    "select id, consumer, source_log, seq, aggregate_id, type, event, reason, status, parked_at_us from dead_letter \
     where consumer = $1 and source_log = $2 and aggregate_id = $3 and status = 'parked' order by seq limit $4",
);

pub(crate) const COUNT_DEAD: Sql = Sql::same("select count(*) from dead_letter where status = 'parked'");

/// Every statement above, for the test that prepares them on both engines.
pub const ALL: &[Sql] = &[
    MOVE_HEAD,
    MOVE_HEAD_ALONE,
    BATCH,
    BOUNDS,
    SETTINGS_VERSION,
    REPLIES,
    READ_LOG,
    CURSOR,
    LIST_DEAD,
    LIST_DEAD_OF,
    COUNT_DEAD,
];
