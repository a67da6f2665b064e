create table survey (
    id            uuid   primary key,
    version       bigint not null,
    code          text   not null,
    state         text   not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    doc           jsonb  not null
);
create unique index survey_code on survey (code);

-- One per survey, complaint and resolution: held by a claim.
create table invitation (
    id              uuid   primary key,
    version         bigint not null,
    survey_id       uuid   not null,
    customer_id     uuid   not null,
    branch_id       uuid,
    state           text   not null,
    scheduled_at_us bigint not null,
    sent_at_us      bigint,
    expires_at_us   bigint,
    created_at_us   bigint not null,
    updated_at_us   bigint not null,
    doc             jsonb  not null
);
create index invitation_to_send on invitation (scheduled_at_us) where state = 'scheduled';
create index invitation_to_expire on invitation (expires_at_us) where state = 'sent';
create index invitation_customer on invitation (customer_id);
create index invitation_sent on invitation (survey_id, sent_at_us);

create table response (
    id              uuid   primary key,
    version         bigint not null,
    survey_id       uuid   not null,
    invitation_id   uuid   not null,
    customer_id     uuid   not null,
    branch_id       uuid,
    score           bigint,
    completed_at_us bigint not null,
    updated_at_us   bigint not null,
    doc             jsonb  not null
);
create index response_score on response (survey_id, completed_at_us);
create index response_customer on response (customer_id);

-- What is known here of complaints.
create table complaint_case (
    id          uuid   primary key,
    customer_id uuid,
    branch_id   uuid,
    open_for    uuid,
    cycle       bigint not null,
    doc         jsonb  not null
);

-- How many open complaints a customer has.
create table open_cases (
    customer_id uuid   primary key,
    open_count  bigint not null
);

-- What is known here of branches.
create table branch (
    id        uuid   primary key,
    parent_id uuid,
    closed    bigint not null
);

-- The secret under which links are made, where the settings give none.
create table link_secret (
    id     uuid  primary key,
    secret bytea not null
);
