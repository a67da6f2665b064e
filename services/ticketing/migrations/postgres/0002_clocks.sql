-- The tree of the branches and their opening hours.
alter table branch add column parent_id uuid;
alter table branch add column calendar jsonb;

-- The hours of a branch over time. Only added to; no calendar is day and night.
create table branch_hours (
    branch_id uuid   not null,
    since_us  bigint not null,
    calendar  jsonb,
    primary key (branch_id, since_us)
);

create table sla_policy (
    id            uuid   primary key,
    version       bigint not null,
    code          text   not null,
    position      bigint not null,
    retired       bigint not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    doc           jsonb  not null
);
create unique index sla_policy_code on sla_policy (code);

-- Counts the changes of policies and hours, and up to which of them the open clocks were reckoned anew.
create table rule_book (
    id       uuid primary key,
    version  bigint not null,
    revision bigint not null,
    swept    bigint not null
);

-- How a complaint stands with its clocks.
alter table complaint add column sla_state text;
alter table complaint add column sla_due_at_us bigint;
alter table complaint add column sla_next_at_us bigint;
-- For the timer, which looks every second.
create index complaint_sla_next on complaint (sla_next_at_us, id) where sla_next_at_us is not null;
