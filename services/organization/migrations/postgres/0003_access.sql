-- Roles that the business made or changed. The others are those of the program.
create table role (
    id            uuid primary key,
    version       bigint not null,
    code          text   collate "C" not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    deleted_at_us bigint,
    doc           jsonb not null
);
create unique index role_code on role (code);

-- A key that was rotated opens the door with its old secret too, for a while. Only hashes are stored.
alter table api_key add column previous_hash bytea;
alter table api_key add column previous_until_us bigint;
alter table api_key add column rotated_at_us bigint;

-- When keys were last used, apart from the keys: a use changes no version.
create table api_key_use (
    id              uuid primary key,
    last_used_at_us bigint not null
);

-- Counts that rules need.
create table tally (
    id    uuid primary key,
    count bigint not null
);
