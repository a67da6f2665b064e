-- Roles that the business made or changed. The others are those of the program.
create table role (
    id            blob primary key,
    version       integer not null,
    code          text not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    deleted_at_us integer,
    doc           text not null
) strict;
create unique index role_code on role (code);

-- A key that was rotated opens the door with its old secret too, for a while. Only hashes are stored.
alter table api_key add column previous_hash blob;
alter table api_key add column previous_until_us integer;
alter table api_key add column rotated_at_us integer;

-- When keys were last used, apart from the keys: a use changes no version.
create table api_key_use (
    id              blob primary key,
    last_used_at_us integer not null
) strict;

-- Counts that rules need.
create table tally (
    id    blob primary key,
    count integer not null
) strict;
