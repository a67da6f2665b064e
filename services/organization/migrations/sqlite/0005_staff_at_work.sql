create table team (
    id              blob primary key,
    version         integer not null,
    branch_id       blob not null,
    created_at_us   integer not null,
    updated_at_us   integer not null,
    dissolved_at_us integer,
    doc             text not null
) strict;
create index team_created on team (created_at_us, id);

create table shift (
    id              blob primary key,
    version         integer not null,
    staff_member_id blob not null,
    branch_id       blob not null,
    starts_at_us    integer not null,
    ends_at_us      integer not null,
    created_at_us   integer not null,
    updated_at_us   integer not null,
    cancelled_at_us integer
) strict;
create index shift_of_branch on shift (branch_id, starts_at_us, id);
create index shift_of_member on shift (staff_member_id, starts_at_us, id);

-- Shifts of a person that are not over; the id is that of the person.
create table roster (
    id  blob primary key,
    doc text not null
) strict;

-- What was last said of the presence of a person; the id is that of the person.
create table presence (
    id            blob primary key,
    version       integer not null,
    branch_id     blob not null,
    state         text not null,
    since_us      integer not null,
    until_us      integer,
    created_at_us integer not null,
    updated_at_us integer not null
) strict;
create index presence_of_branch on presence (branch_id, id);
