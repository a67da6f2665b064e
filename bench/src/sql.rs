//! All SQL of the benches: the tables of their own service, and what the yardsticks do by hand.

/// Tables of the desk on PostgreSQL.
pub(crate) const DESK_POSTGRES: &str = "
create table complaint (
    id           uuid   primary key,
    version      bigint not null,
    branch_id    uuid   not null,
    customer_id  uuid   not null,
    status       text   not null,
    category     text   not null,
    assignee_id  uuid,
    amount       bigint not null,
    opened_at_us bigint not null,
    due_at_us    bigint not null,
    closed_at_us bigint,
    document     jsonb  not null
);
create index complaint_due on complaint (branch_id, due_at_us);
create index complaint_customer on complaint (customer_id, opened_at_us);
create table budget (id uuid primary key, version bigint not null, most bigint not null, reserved bigint not null);
create table history (
    complaint_id uuid   not null,
    version      bigint not null,
    at_us        bigint not null,
    by_whom      text   not null,
    kind         text   not null,
    amount       bigint not null,
    primary key (complaint_id, version)
);
insert into budget values ('00000000-0000-0000-0000-000000000001', 1, 9000000000000000, 0);";

/// Tables of the desk on SQLite.
pub(crate) const DESK_SQLITE: &str = "
create table complaint (
    id           blob    primary key,
    version      integer not null,
    branch_id    blob    not null,
    customer_id  blob    not null,
    status       text    not null,
    category     text    not null,
    assignee_id  blob,
    amount       integer not null,
    opened_at_us integer not null,
    due_at_us    integer not null,
    closed_at_us integer,
    document     text    not null
) strict;
create index complaint_due on complaint (branch_id, due_at_us);
create index complaint_customer on complaint (customer_id, opened_at_us);
create table budget (id blob primary key, version integer not null, most integer not null, reserved integer not null) strict;
create table history (
    complaint_id blob    not null,
    version      integer not null,
    at_us        integer not null,
    by_whom      text    not null,
    kind         text    not null,
    amount       integer not null,
    primary key (complaint_id, version)
) strict;
insert into budget values (x'00000000000000000000000000000001', 1, 9000000000000000, 0);";

/// Time-ordered ids (UUIDv7) for pgbench, since PostgreSQL makes none before version 18: random ones would make its
/// index inserts dearer than ours.
pub(crate) const PGBENCH_TABLES: &str = "
create function new_id() returns uuid language sql volatile as $$
    select encode(overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 'hex')::uuid
$$;
create sequence event_seq;
create table event_log (
    seq               bigint primary key default nextval('event_seq'),
    event_id          uuid   not null,
    type              text   not null,
    aggregate_type    text   not null,
    aggregate_id      uuid   not null,
    aggregate_version bigint not null,
    branch_id         uuid,
    customer_id       uuid,
    occurred_at_us    bigint not null,
    recorded_at_us    bigint not null,
    trace_context     text,
    payload           bytea  not null
);
create table request (
    key           uuid   primary key,
    fingerprint   bigint not null,
    reply         bytea  not null,
    created_at_us bigint not null
);";

/// One statement, three rows: the same complaint, event and request rows as ours, without lock, look-up and history.
pub(crate) const PGBENCH_CTE: &str = "\
\\set b random(1, 100)
\\set c random(1, 100000)
with c as (insert into complaint values (new_id(), 1, ('00000000-0000-0000-0000-' || lpad(:b::text, 12, '0'))::uuid, \
('00000000-0000-0000-0001-' || lpad(:c::text, 12, '0'))::uuid, 'open', 'late delivery', null, 0, \
(extract(epoch from clock_timestamp()) * 1000000)::bigint, (extract(epoch from clock_timestamp()) * 1000000)::bigint, \
null, 'DOCUMENT') returning id, branch_id, customer_id, opened_at_us), \
e as (insert into event_log (event_id, type, aggregate_type, aggregate_id, aggregate_version, branch_id, customer_id, \
occurred_at_us, recorded_at_us, trace_context, payload) \
select gen_random_uuid(), 'karibu.desk.complaint.opened.v1', 'complaint', id, 1, branch_id, customer_id, \
opened_at_us, opened_at_us, null, '\\xPAYLOAD' from c) \
insert into request select gen_random_uuid(), 1, '\\xREPLY', opened_at_us from c;
";

/// One transaction of three statements: the usual service that saves one request at a time.
pub(crate) const PGBENCH_THREE: &str = "\
\\set b random(1, 100)
\\set c random(1, 100000)
begin;
insert into complaint values (new_id(), 1, ('00000000-0000-0000-0000-' || lpad(:b::text, 12, '0'))::uuid, \
('00000000-0000-0000-0001-' || lpad(:c::text, 12, '0'))::uuid, 'open', 'late delivery', null, 0, \
(extract(epoch from clock_timestamp()) * 1000000)::bigint, (extract(epoch from clock_timestamp()) * 1000000)::bigint, \
null, 'DOCUMENT') returning id as id, branch_id as branch, customer_id as customer, opened_at_us as at \\gset
insert into event_log (event_id, type, aggregate_type, aggregate_id, aggregate_version, branch_id, customer_id, \
occurred_at_us, recorded_at_us, trace_context, payload) \
values (gen_random_uuid(), 'karibu.desk.complaint.opened.v1', 'complaint', (:id::text)::uuid, 1, (:branch::text)::uuid, \
(:customer::text)::uuid, :at, :at, null, '\\xPAYLOAD');
insert into request values (gen_random_uuid(), 1, '\\xREPLY', :at);
commit;
";

/// Tables of the write path as one would make them by hand on SQLite.
pub(crate) const HAND_TABLES: &str = "
create table event_log (
    seq               integer primary key,
    event_id          blob    not null,
    type              text    not null,
    aggregate_type    text    not null,
    aggregate_id      blob    not null,
    aggregate_version integer not null,
    branch_id         blob,
    customer_id       blob,
    occurred_at_us    integer not null,
    recorded_at_us    integer not null,
    trace_context     text,
    payload           blob    not null
) strict;
create table request (
    key           blob    primary key,
    fingerprint   integer not null,
    reply         blob    not null,
    created_at_us integer not null
) strict;";

/// `begin` of a writing transaction.
pub(crate) const HAND_BEGIN: &str = "begin immediate";

/// One statement that inserts `rows` rows of `columns` columns into `table`.
pub(crate) fn hand_insert(table: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    format!("insert into {table} values {}", vec![row; rows].join(","))
}

/// What the write path left behind, counted from outside: events, the newest sequence, requests.
pub(crate) const CHECK: store::Sql = store::Sql::same(
    "select (select count(*) from event_log) as events, (select last_seq from log_head) as last_seq, \
     (select count(*) from request) as requests",
);

/// Copies the only customer of a profile database until there are `count`, and gathers statistics as autovacuum would.
pub(crate) fn seed_customers(count: u64) -> Vec<String> {
    let id = "('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid";
    let series = format!("generate_series(1, {count}) i");
    vec![
        format!(
            "insert into customer (id, version, kind, state, home_branch_id, created_at_us, updated_at_us, doc) \
             select {id}, version, kind, state, home_branch_id, created_at_us, updated_at_us, doc from customer, {series}"
        ),
        format!(
            "insert into tally (customer_id, version, first_seen_at_us, doc) \
             select {id}, version, first_seen_at_us, doc from tally, {series}"
        ),
        format!("insert into presence (customer_id, branch_id) select {id}, branch_id from presence, {series}"),
        "analyze".to_owned(),
        "checkpoint".to_owned(),
    ]
}

/// Tables of the consumer that books points.
pub(crate) const POINTS_POSTGRES: &str = "
create table account (id uuid primary key, version bigint not null, balance bigint not null);
create table booking (
    account_id uuid   not null,
    version    bigint not null,
    points     bigint not null,
    cause      uuid   not null,
    at_us      bigint not null,
    primary key (account_id, version)
);";

/// By hand: where the consumer stands.
pub(crate) const HAND_CURSOR: &str =
    "create table cursor (id bigint primary key, at bigint not null); insert into cursor values (1, 0);";

/// By hand: the next events.
pub(crate) const HAND_READ: &str =
    "select seq, event_id, customer_id from event_log where seq > $1 order by seq limit $2";

/// By hand: one statement books a page of events and moves the cursor.
pub(crate) const HAND_BOOK: &str = "
with given as (select * from unnest($1::uuid[], $2::uuid[]) as g(customer, cause)),
sums as (select customer, count(*) as points from given group by customer),
changed as (
    insert into account select customer, points, points from sums
    on conflict (id) do update set version = account.version + excluded.version, balance = account.balance + excluded.balance
    returning id, version
),
booked as (
    insert into booking
    select customer, changed.version + 1 - row_number() over (partition by customer), 1, cause, $3
    from given join changed on changed.id = given.customer
)
update cursor set at = $4 where id = 1";

/// Points booked: bookings, and the sum of balances.
pub(crate) const POINTS_BOOKED: store::Sql = store::Sql::same(
    "select (select count(*) from booking) as bookings, (select cast(coalesce(sum(balance), 0) as bigint) from account) as points",
);
