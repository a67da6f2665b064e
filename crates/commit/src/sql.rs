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

pub(crate) const RECORDED_AT: Sql = Sql::same("select recorded_at_us from event_log where seq = $1");

/// Conditions of the audit trail that both engines share. `$who`, and from `$record` on four, are numbers of arguments.
macro_rules! picked {
    ($who:literal, $is_record:literal, $record:literal, $is_customer:literal, $customer:literal, $start:literal,
     $end:literal, $of:literal) => {
        concat!(
            " and ($",
            $who,
            " = '' or substr(caused_by, length(caused_by) - length($",
            $who,
            ")) = ' ' || $",
            $who,
            ") and ($",
            $is_record,
            " = 0 or ",
            $of,
            " = $",
            $record,
            ") and ($",
            $is_customer,
            " = 0 or customer_id = $",
            $customer,
            ") and recorded_at_us >= $",
            $start,
            " and recorded_at_us < $",
            $end
        )
    };
}

/// Changes, newest first. $1 all, $2 scope, $3 from and $4 before which sequence, $5 who, $6 and $7 record, $8 and $9
/// customer, $10 from and $11 before which instant, $12 limit.
macro_rules! changes {
    ($scope:literal) => {
        concat!(
            "select seq, type, aggregate_type, aggregate_id, aggregate_version, branch_id, customer_id, recorded_at_us, \
             caused_by, trace_context from event_log where seq >= $3 and seq < $4 and ($1 = 1 or ", $scope, ")",
            picked!("5", "6", "7", "8", "9", "10", "11", "aggregate_id"),
            " order by seq desc limit $12"
        )
    };
}

pub(crate) const CHANGES: Sql =
    Sql::split(changes!("branch_id = any($2)"), changes!("branch_id in (select unhex(value) from json_each($2))"));

/// Notes, newest first. $1 all, $2 scope, $3 last note shown, $4 who, $5 and $6 record, $7 and $8 customer, $9 from and
/// $10 before which instant, $11 limit.
macro_rules! notes {
    ($scope:literal) => {
        concat!(
            "select id, recorded_at_us, caused_by, record_type, record_id, customer_id, branch_id, items, reason, \
             trace_context from audit_log where id < $3 and ($1 = 1 or ",
            $scope,
            ")",
            picked!("4", "5", "6", "7", "8", "9", "10", "record_id"),
            " order by id desc limit $11"
        )
    };
}

pub(crate) const NOTES: Sql =
    Sql::split(notes!("branch_id = any($2)"), notes!("branch_id in (select unhex(value) from json_each($2))"));

/// Answers older than $1, at most $2.
pub(crate) const FORGET_REQUESTS: Sql = Sql::split(
    "delete from request where ctid = any(array(select ctid from request where created_at_us < $1 limit $2))",
    "delete from request where rowid in (select rowid from request order by rowid limit $2) and created_at_us < $1",
);

/// $1 subjects.
pub(crate) const KEYS: Sql = Sql::split(
    "select subject, version, wrapped, master_key_id, created_at_us, destroyed_at_us from data_key \
     where subject = any($1)",
    "select subject, version, wrapped, master_key_id, created_at_us, destroyed_at_us from data_key \
     where subject in (select unhex(value) from json_each($1))",
);

/// Keys that are not under the newest master key. $1 its name, $2 limit.
pub(crate) const KEYS_UNDER_OTHERS: Sql = Sql::same(
    "select subject, version, wrapped, master_key_id, created_at_us, destroyed_at_us from data_key \
     where master_key_id <> $1 and destroyed_at_us is null limit $2",
);

/// A key that was wrapped anew, or destroyed, meanwhile is left alone. $1 subject, $2 its master key so far, $3 and $4
/// the new wrapping.
pub(crate) const REWRAP_KEY: Sql = Sql::same(
    "update data_key set wrapped = $3, master_key_id = $4, version = version + 1 \
     where subject = $1 and master_key_id = $2 and destroyed_at_us is null",
);

/// $1 subject, $2 and $3 its wrapping, $4 now.
pub(crate) const KEEP_KEY: Sql = Sql::same(
    "insert into data_key (subject, version, wrapped, master_key_id, created_at_us) values ($1, 1, $2, $3, $4) \
     on conflict (subject) do nothing",
);

pub(crate) const OPEN_ERASURES: Sql =
    Sql::same("select customer_id from erasure where finished_at_us is null order by requested_at_us limit $1");

pub(crate) const FIND_ERASURE: Sql = Sql::same(
    "select customer_id, version, erasure_id, requested_at_us, finished_at_us, records from erasure \
     where customer_id = $1",
);

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
    RECORDED_AT,
    CHANGES,
    NOTES,
    FORGET_REQUESTS,
    KEYS,
    KEYS_UNDER_OTHERS,
    REWRAP_KEY,
    KEEP_KEY,
    OPEN_ERASURES,
    FIND_ERASURE,
];
