-- What branches trust their people with, and what of it is used. Read by id alone, so that all of it stands in doc.
create table mandate (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);

create table budget (
    id        uuid    primary key,
    version   bigint  not null,
    branch_id uuid    not null,
    period    text    not null,
    doc       jsonb   not null
);
create index budget_branch on budget (branch_id, period, id);

-- From which account to which an amount moved. Only added to.
create table budget_entry (
    id           uuid    primary key,
    budget_id    uuid    not null,
    from_account text    not null,
    to_account   text    not null,
    amount       bigint  not null,
    complaint_id uuid    not null,
    moved_by     text    not null,
    at_us        bigint  not null
);
create index budget_entry_budget on budget_entry (budget_id, at_us, id);

create table tally (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);

create table deadline (
    id           uuid    primary key,
    version      bigint  not null,
    complaint_id uuid    not null,
    kind         text    not null,
    subject_id   uuid    not null,
    due_at_us    bigint  not null,
    done         bigint  not null
);
-- For the timer, which looks every second: only what waits.
create index deadline_due on deadline (due_at_us, id) where done = 0;

create table staff (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);
