-- One row: the head of the log, which every batch locks first.
create table log_head (
    id               integer primary key check (id = 1),
    epoch            integer not null,
    last_seq         integer not null,
    floor_seq        integer not null,
    settings_version integer not null
) strict;
insert into log_head (id, epoch, last_seq, floor_seq, settings_version) values (1, 1, 0, 1, 1);

-- Append-only, without gaps, in the order of commits: the outbox and the truth.
create table event_log (
    seq               integer primary key,
    event_id          blob   not null,
    type              text   not null,
    aggregate_type    text   not null,
    aggregate_id      blob   not null,
    aggregate_version integer not null,
    branch_id         blob,
    customer_id       blob,
    occurred_at_us    integer not null,
    recorded_at_us    integer not null,
    trace_context     text,
    payload           blob  not null
) strict;

-- Idempotency: the reply that a key got.
create table request (
    key           blob   primary key,
    fingerprint   integer not null,
    reply         blob  not null,
    created_at_us integer not null
) strict;

-- Uniqueness across aggregates: who holds a natural key. No owner: released.
create table claim (
    key   blob primary key,
    owner blob
) strict;

-- How far this service has read the logs of the others.
create table consumer (
    id            blob   primary key,
    consumer      text   not null,
    source_log    text   not null,
    epoch         integer not null,
    cursor        integer not null,
    state         text   not null,
    updated_at_us integer not null
) strict;

-- Events that could not be applied, with all later events of their aggregate behind them.
create table dead_letter (
    id           blob   primary key,
    consumer     text   not null,
    source_log   text   not null,
    seq          integer not null,
    aggregate_id blob   not null,
    type         text   not null,
    event        blob  not null,
    reason       text   not null,
    status       text   not null,
    parked_at_us integer not null
) strict;
create index dead_letter_parked on dead_letter (consumer, source_log, seq) where status = 'parked';

create table parked_key (
    id           blob   primary key,
    consumer     text   not null,
    source_log   text   not null,
    aggregate_id blob   not null,
    first_seq    integer not null,
    parked       integer not null
) strict;
