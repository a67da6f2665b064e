-- The tree of branches. Codes sort by their bytes, as on PostgreSQL.
create table branch (
    id            blob    primary key,
    version       integer not null,
    parent_id     blob,
    code          text    not null,
    kind          text    not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    closed_at_us  integer,
    doc           text    not null
) strict;
create unique index branch_code on branch (code);
create index branch_parent on branch (parent_id);

-- How many branches work directly below one.
create table branch_children (
    id      blob    primary key,
    working integer not null
) strict;

create table staff_member (
    id             blob    primary key,
    version        integer not null,
    home_branch_id blob,
    created_at_us  integer not null,
    updated_at_us  integer not null,
    doc            text    not null
) strict;
create index staff_member_created on staff_member (created_at_us, id);

-- Only the hash of a secret is stored.
create table api_key (
    id            blob    primary key,
    version       integer not null,
    secret_hash   blob    not null,
    all_branches  integer not null,
    expires_at_us integer,
    revoked_at_us integer,
    created_at_us integer not null,
    updated_at_us integer not null,
    doc           text    not null
) strict;
create index api_key_created on api_key (created_at_us, id);
