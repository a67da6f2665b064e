-- One row: the head of the log, which every batch locks first.
create table log_head (
    id               bigint primary key check (id = 1),
    epoch            bigint not null,
    last_seq         bigint not null,
    floor_seq        bigint not null,
    settings_version bigint not null
);
insert into log_head (id, epoch, last_seq, floor_seq, settings_version) values (1, 1, 0, 1, 1);

-- Append-only, without gaps, in the order of commits: the outbox and the truth.
create table event_log (
    seq               bigint primary key,
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

-- Idempotency: the reply that a key got.
create table request (
    key           uuid   primary key,
    fingerprint   bigint not null,
    reply         bytea  not null,
    created_at_us bigint not null
);

-- Uniqueness across aggregates: who holds a natural key. No owner: released.
create table claim (
    key   uuid primary key,
    owner uuid
);

-- How far this service has read the logs of the others.
create table consumer (
    id            uuid   primary key,
    consumer      text   not null,
    source_log    text   not null,
    epoch         bigint not null,
    cursor        bigint not null,
    state         text   not null,
    updated_at_us bigint not null
);

-- Events that could not be applied, with all later events of their aggregate behind them.
create table dead_letter (
    id           uuid   primary key,
    consumer     text   not null,
    source_log   text   not null,
    seq          bigint not null,
    aggregate_id uuid   not null,
    type         text   not null,
    event        bytea  not null,
    reason       text   not null,
    status       text   not null,
    parked_at_us bigint not null
);
create index dead_letter_parked on dead_letter (consumer, source_log, seq) where status = 'parked';

create table parked_key (
    id           uuid   primary key,
    consumer     text   not null,
    source_log   text   not null,
    aggregate_id uuid   not null,
    first_seq    bigint not null,
    parked       bigint not null
);
