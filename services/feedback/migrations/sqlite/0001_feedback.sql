create table survey (
    id            blob primary key,
    version       integer not null,
    code          text   not null,
    state         text   not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    doc           text  not null
) strict;
create unique index survey_code on survey (code);

-- One per survey, complaint and resolution: held by a claim.
create table invitation (
    id              blob primary key,
    version         integer not null,
    survey_id       blob not null,
    customer_id     blob not null,
    branch_id       blob,
    state           text   not null,
    scheduled_at_us integer not null,
    sent_at_us      integer,
    expires_at_us   integer,
    created_at_us   integer not null,
    updated_at_us   integer not null,
    doc             text  not null
) strict;
create index invitation_to_send on invitation (scheduled_at_us) where state = 'scheduled';
create index invitation_to_expire on invitation (expires_at_us) where state = 'sent';
create index invitation_customer on invitation (customer_id);
create index invitation_sent on invitation (survey_id, sent_at_us);

create table response (
    id              blob primary key,
    version         integer not null,
    survey_id       blob not null,
    invitation_id   blob not null,
    customer_id     blob not null,
    branch_id       blob,
    score           integer,
    completed_at_us integer not null,
    updated_at_us   integer not null,
    doc             text  not null
) strict;
create index response_score on response (survey_id, completed_at_us);
create index response_customer on response (customer_id);

-- What is known here of complaints.
create table complaint_case (
    id          blob primary key,
    customer_id blob,
    branch_id   blob,
    open_for    blob,
    cycle       integer not null,
    doc         text  not null
) strict;

-- How many open complaints a customer has.
create table open_cases (
    customer_id blob primary key,
    open_count  integer not null
) strict;

-- What is known here of branches.
create table branch (
    id        blob primary key,
    parent_id blob,
    closed    integer not null
) strict;

-- The secret under which links are made, where the settings give none.
create table link_secret (
    id     blob primary key,
    secret blob not null
) strict;
