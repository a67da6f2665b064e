-- Who caused an event and by what act: the log is the audit trail of all changes.
alter table event_log add column caused_by text;

-- What leaves no event: reads of personal data, dead letters taken up or given up, keys and retention. Only added to.
create table audit_log (
    id             uuid   primary key,
    recorded_at_us bigint not null,
    caused_by      text   not null,
    record_type    text   not null,
    record_id      uuid,
    customer_id    uuid,
    branch_id      uuid,
    items          bigint not null,
    reason         bytea,
    trace_context  text
);

-- The key of each customer, and of the service itself (nil), under a master key that is not in any database.
create table data_key (
    subject         uuid   primary key,
    version         bigint not null,
    wrapped         bytea  not null,
    master_key_id   text   not null,
    created_at_us   bigint not null,
    destroyed_at_us bigint
);

-- Customers whose personal data goes or is gone.
create table erasure (
    customer_id     uuid   primary key,
    version         bigint not null,
    erasure_id      uuid   not null,
    requested_at_us bigint not null,
    finished_at_us  bigint,
    records         bigint not null
);
create index erasure_open on erasure (requested_at_us) where finished_at_us is null;

-- For retention: which answers are old. Costs next to nothing where rows come in the order of their age.
create index request_age on request using brin (created_at_us);

-- Only added to, and read: whoever runs the service can change or empty neither. A superuser is bound by nothing.
revoke update, delete, truncate on event_log, audit_log from current_user;
