create table team (
    id              uuid primary key,
    version         bigint not null,
    branch_id       uuid not null,
    created_at_us   bigint not null,
    updated_at_us   bigint not null,
    dissolved_at_us bigint,
    doc             jsonb not null
);
create index team_created on team (created_at_us, id);

create table shift (
    id              uuid primary key,
    version         bigint not null,
    staff_member_id uuid not null,
    branch_id       uuid not null,
    starts_at_us    bigint not null,
    ends_at_us      bigint not null,
    created_at_us   bigint not null,
    updated_at_us   bigint not null,
    cancelled_at_us bigint
);
create index shift_of_branch on shift (branch_id, starts_at_us, id);
create index shift_of_member on shift (staff_member_id, starts_at_us, id);

-- Shifts of a person that are not over; the id is that of the person.
create table roster (
    id  uuid primary key,
    doc jsonb not null
);

-- What was last said of the presence of a person; the id is that of the person.
create table presence (
    id            uuid primary key,
    version       bigint not null,
    branch_id     uuid not null,
    state         text not null,
    since_us      bigint not null,
    until_us      bigint,
    created_at_us bigint not null,
    updated_at_us bigint not null
);
create index presence_of_branch on presence (branch_id, id);
