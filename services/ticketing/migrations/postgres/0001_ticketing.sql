-- What queries find a complaint by; all that is only read with it stands in doc.
create table complaint (
    id               uuid   primary key,
    version          bigint not null,
    number           text   not null,
    state            text   not null,
    branch_id        uuid   not null,
    customer_id      uuid,
    owner_staff_id   uuid,
    channel          text,
    opened_at_us     bigint not null,
    created_at_us    bigint not null,
    updated_at_us    bigint not null,
    source_system    text,
    product          text,
    company_response text,
    timely           text,
    disputed         text,
    doc              jsonb  not null
);
create index complaint_opened on complaint (opened_at_us, id);
create index complaint_branch on complaint (branch_id, opened_at_us, id);
create index complaint_customer on complaint (customer_id, opened_at_us, id) where customer_id is not null;
create index complaint_owner on complaint (owner_staff_id, opened_at_us, id) where owner_staff_id is not null;

-- Who did what. Only added to.
create table complaint_history (
    complaint_id   uuid   not null,
    version        bigint not null,
    kind           text   not null,
    actor          text   not null,
    from_state     text,
    to_state       text   not null,
    code           text,
    occurred_at_us bigint not null,
    primary key (complaint_id, version)
);

-- Words on record, sealed under the key of their subject: the customer, or the complaint if nobody is known. Only added
-- to.
create table interaction (
    id                  uuid   primary key,
    complaint_id        uuid   not null,
    subject_id          uuid   not null,
    seq                 bigint not null,
    direction           text   not null,
    channel             text,
    body                bytea  not null,
    external_message_id text,
    recorded_by         text   not null,
    occurred_at_us      bigint not null,
    recorded_at_us      bigint not null
);
create unique index interaction_seq on interaction (complaint_id, seq);

create table follow_up (
    id               uuid   primary key,
    version          bigint not null,
    complaint_id     uuid   not null,
    complaint_number text   not null,
    branch_id        uuid   not null,
    customer_id      uuid,
    kind             text   not null,
    state            text   not null,
    attempt          bigint not null,
    due_at_us        bigint not null,
    completed_at_us  bigint,
    note             text   not null
);
create index follow_up_due on follow_up (due_at_us, id);
-- For the timer, which looks every second: only what waits.
create index follow_up_scheduled on follow_up (due_at_us, id) where state = 'SCHEDULED';

-- What the organization told about its branches.
create table branch (
    id        uuid   primary key,
    version   bigint not null,
    code      text   not null,
    time_zone text   not null,
    currency  text   not null,
    closed    bigint not null
);

-- The last number given, by branch and year.
create table number_counter (
    id      uuid   primary key,
    version bigint not null,
    name    text   not null,
    last    bigint not null
);
