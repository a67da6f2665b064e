-- What branches trust their people with, and what of it is used. Read by id alone, so that all of it stands in doc.
create table mandate (
    id      blob    primary key,
    version integer not null,
    doc     text    not null
) strict;

create table budget (
    id        blob    primary key,
    version   integer not null,
    branch_id blob    not null,
    period    text    not null,
    doc       text    not null
) strict;
create index budget_branch on budget (branch_id, period, id);

-- From which account to which an amount moved. Only added to.
create table budget_entry (
    id           blob    primary key,
    budget_id    blob    not null,
    from_account text    not null,
    to_account   text    not null,
    amount       integer not null,
    complaint_id blob    not null,
    moved_by     text    not null,
    at_us        integer not null
) strict;
create index budget_entry_budget on budget_entry (budget_id, at_us, id);

create table tally (
    id      blob    primary key,
    version integer not null,
    doc     text    not null
) strict;

create table deadline (
    id           blob    primary key,
    version      integer not null,
    complaint_id blob    not null,
    kind         text    not null,
    subject_id   blob    not null,
    due_at_us    integer not null,
    done         integer not null
) strict;
-- For the timer, which looks every second: only what waits.
create index deadline_due on deadline (due_at_us, id) where done = 0;

create table staff (
    id      blob    primary key,
    version integer not null,
    doc     text    not null
) strict;
