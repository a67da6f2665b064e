-- Which branches work directly below one, no longer only how many: opening hours are told down the tree.
alter table branch_children add column doc text not null default '[]';
update branch_children set doc = coalesce((select json_group_array(lower(hex(id))) from branch where parent_id = branch_children.id and closed_at_us is null), '[]');
alter table branch_children drop column working;

-- Own hours of branches; the id is that of the branch.
create table branch_calendar (
    id            blob primary key,
    version       integer not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    doc           text not null
) strict;

-- Holidays that branches share.
create table holiday_set (
    id            blob primary key,
    version       integer not null,
    code          text not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    doc           text not null
) strict;
create unique index holiday_set_code on holiday_set (code);
create index holiday_set_created on holiday_set (created_at_us, id);

-- Which branches keep a set of holidays.
create table holiday_use (
    id  blob primary key,
    doc text not null
) strict;
