-- Who caused an event and by what act: the log is the audit trail of all changes.
alter table event_log add column caused_by text;

-- What leaves no event: reads of personal data, dead letters taken up or given up, keys and retention. Only added to.
create table audit_log (
    id             blob   primary key,
    recorded_at_us integer not null,
    caused_by      text   not null,
    record_type    text   not null,
    record_id      blob,
    customer_id    blob,
    branch_id      blob,
    items          integer not null,
    reason         blob,
    trace_context  text
) strict;

-- The key of each customer, and of the service itself (nil), under a master key that is not in any database.
create table data_key (
    subject         blob   primary key,
    version         integer not null,
    wrapped         blob   not null,
    master_key_id   text   not null,
    created_at_us   integer not null,
    destroyed_at_us integer
) strict;

-- Customers whose personal data goes or is gone.
create table erasure (
    customer_id     blob   primary key,
    version         integer not null,
    erasure_id      blob   not null,
    requested_at_us integer not null,
    finished_at_us  integer,
    records         integer not null
) strict;
create index erasure_open on erasure (requested_at_us) where finished_at_us is null;
