-- Which branches work directly below one, no longer only how many: opening hours are told down the tree.
alter table branch_children add column doc jsonb not null default '[]';
update branch_children set doc = coalesce((select jsonb_agg(id) from branch where parent_id = branch_children.id and closed_at_us is null), '[]');
alter table branch_children drop column working;

-- Own hours of branches; the id is that of the branch.
create table branch_calendar (
    id            uuid primary key,
    version       bigint not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    doc           jsonb not null
);

-- Holidays that branches share.
create table holiday_set (
    id            uuid primary key,
    version       bigint not null,
    code          text   collate "C" not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    doc           jsonb not null
);
create unique index holiday_set_code on holiday_set (code);
create index holiday_set_created on holiday_set (created_at_us, id);

-- Which branches keep a set of holidays.
create table holiday_use (
    id  uuid primary key,
    doc jsonb not null
);
