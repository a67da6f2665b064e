-- A branch, as far as this service must know it.
create table branch (
    id      blob    primary key,
    version integer not null,
    locale  text    not null,
    closed  integer not null
) strict;

-- A customer. Personal data stands in doc only.
create table customer (
    id             blob    primary key,
    version        integer not null,
    kind           text    not null,
    state          text    not null,
    home_branch_id blob    not null,
    created_at_us  integer not null,
    updated_at_us  integer not null,
    doc            text    not null
) strict;
create index customer_home on customer (home_branch_id, id);

-- The running totals of a customer.
create table tally (
    customer_id      blob    primary key,
    version          integer not null,
    first_seen_at_us integer not null,
    doc              text    not null
) strict;

-- At which branches a customer was seen: who works there may see it.
create table presence (
    customer_id blob not null,
    branch_id   blob not null,
    primary key (customer_id, branch_id)
) strict, without rowid;

create table visit (
    id              blob    primary key,
    version         integer not null,
    customer_id     blob    not null,
    branch_id       blob    not null,
    channel         text    not null,
    touchpoint_code text    not null,
    occurred_at_us  integer not null,
    recorded_at_us  integer not null
) strict;

-- A purchase or return; its id is the hash of source_system and source_ref.
create table purchase (
    id                  blob    primary key,
    version             integer not null,
    source_system       text    not null,
    source_ref          text    not null,
    branch_id           blob    not null,
    customer_id         blob,
    kind                text    not null,
    occurred_at_us      integer not null,
    recorded_at_us      integer not null,
    currency            text    not null,
    total_minor         integer not null,
    earning_minor       integer not null,
    line_count          integer not null,
    fingerprint         integer not null,
    original_source_ref text    not null,
    lines               text    not null
) strict;
create index purchase_of_customer on purchase (customer_id, occurred_at_us, id) where customer_id is not null;
create index purchase_of_branch on purchase (branch_id, occurred_at_us, id);
create index purchase_newest on purchase (occurred_at_us, id);

-- What happened with a customer, in any service. Kept in the order in which it is read.
create table timeline_entry (
    customer_id    blob    not null,
    occurred_at_us integer not null,
    id             blob    not null,
    service        text    not null,
    kind           text    not null,
    subject_type   text    not null,
    subject_id     blob    not null,
    branch_id      blob,
    facts          text    not null,
    primary key (customer_id, occurred_at_us, id)
) strict, without rowid;
