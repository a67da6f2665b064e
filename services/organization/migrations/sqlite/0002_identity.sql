-- The outer identity of staff is found by its hash, their names without regard to case.
alter table staff_member add column identity_key blob;
alter table staff_member add column search_name text not null default '';
alter table staff_member add column deactivated_at_us integer;
create unique index staff_member_identity on staff_member (identity_key);
