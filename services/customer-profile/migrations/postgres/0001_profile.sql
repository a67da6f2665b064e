-- A branch, as far as this service must know it.
create table branch (
    id      uuid    primary key,
    version bigint not null,
    locale  text    not null,
    closed  bigint not null
);

-- A customer. Personal data stands in doc only.
create table customer (
    id             uuid    primary key,
    version        bigint not null,
    kind           text    not null,
    state          text    not null,
    home_branch_id uuid    not null,
    created_at_us  bigint not null,
    updated_at_us  bigint not null,
    doc            jsonb    not null
);
create index customer_home on customer (home_branch_id, id);

-- The running totals of a customer.
create table tally (
    customer_id      uuid    primary key,
    version          bigint not null,
    first_seen_at_us bigint not null,
    doc              jsonb    not null
);

-- At which branches a customer was seen: who works there may see it.
create table presence (
    customer_id uuid not null,
    branch_id   uuid not null,
    primary key (customer_id, branch_id)
);

create table visit (
    id              uuid    primary key,
    version         bigint not null,
    customer_id     uuid    not null,
    branch_id       uuid    not null,
    channel         text    not null,
    touchpoint_code text    not null,
    occurred_at_us  bigint not null,
    recorded_at_us  bigint not null
);

-- A purchase or return; its id is the hash of source_system and source_ref.
create table purchase (
    id                  uuid    primary key,
    version             bigint not null,
    source_system       text    not null,
    source_ref          text    not null,
    branch_id           uuid    not null,
    customer_id         uuid,
    kind                text    not null,
    occurred_at_us      bigint not null,
    recorded_at_us      bigint not null,
    currency            text    not null,
    total_minor         bigint not null,
    earning_minor       bigint not null,
    line_count          bigint not null,
    fingerprint         bigint not null,
    original_source_ref text    not null,
    lines               jsonb    not null
);
create index purchase_of_customer on purchase (customer_id, occurred_at_us, id) where customer_id is not null;
create index purchase_of_branch on purchase (branch_id, occurred_at_us, id);
create index purchase_newest on purchase (occurred_at_us, id);

-- What happened with a customer, in any service. Kept in the order in which it is read.
create table timeline_entry (
    customer_id    uuid    not null,
    occurred_at_us bigint not null,
    id             uuid    not null,
    service        text    not null,
    kind           text    not null,
    subject_type   text    not null,
    subject_id     uuid    not null,
    branch_id      uuid,
    facts          jsonb    not null,
    primary key (customer_id, occurred_at_us, id)
);
