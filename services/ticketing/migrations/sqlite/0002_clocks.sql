-- The tree of the branches and their opening hours.
alter table branch add column parent_id blob;
alter table branch add column calendar text;

-- The hours of a branch over time. Only added to; no calendar is day and night.
create table branch_hours (
    branch_id blob   not null,
    since_us  integer not null,
    calendar  text,
    primary key (branch_id, since_us)
) strict;

create table sla_policy (
    id            blob   primary key,
    version       integer not null,
    code          text   not null,
    position      integer not null,
    retired       integer not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    doc           text  not null
) strict;
create unique index sla_policy_code on sla_policy (code);

-- Counts the changes of policies and hours, and up to which of them the open clocks were reckoned anew.
create table rule_book (
    id       blob primary key,
    version  integer not null,
    revision integer not null,
    swept    integer not null
) strict;

-- How a complaint stands with its clocks.
alter table complaint add column sla_state text;
alter table complaint add column sla_due_at_us integer;
alter table complaint add column sla_next_at_us integer;
-- For the timer, which looks every second.
create index complaint_sla_next on complaint (sla_next_at_us, id) where sla_next_at_us is not null;
