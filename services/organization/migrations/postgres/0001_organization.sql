-- The tree of branches. Codes sort by their bytes, as on SQLite.
create table branch (
    id            uuid   primary key,
    version       bigint not null,
    parent_id     uuid,
    code          text   collate "C" not null,
    kind          text   not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    closed_at_us  bigint,
    doc           jsonb  not null
);
create unique index branch_code on branch (code);
create index branch_parent on branch (parent_id);

-- How many branches work directly below one.
create table branch_children (
    id      uuid   primary key,
    working bigint not null
);

create table staff_member (
    id             uuid   primary key,
    version        bigint not null,
    home_branch_id uuid,
    created_at_us  bigint not null,
    updated_at_us  bigint not null,
    doc            jsonb  not null
);
create index staff_member_created on staff_member (created_at_us, id);

-- Only the hash of a secret is stored.
create table api_key (
    id            uuid   primary key,
    version       bigint not null,
    secret_hash   bytea  not null,
    all_branches  bigint not null,
    expires_at_us bigint,
    revoked_at_us bigint,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    doc           jsonb  not null
);
create index api_key_created on api_key (created_at_us, id);
