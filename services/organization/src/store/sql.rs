//! Every SQL text of the organization service.

use ::store::Sql;

/// $1 id.
pub(crate) const BRANCH: Sql = Sql::same(
    "select id, version, parent_id, code, kind, created_at_us, updated_at_us, closed_at_us, doc from branch where id = $1",
);

/// $1 all, $2 scope, $3 parent, $4 kind, $5 code, $6 closed too, $7 last id shown, $8 limit, $9 no subtree, $10 it.
pub(crate) const BRANCHES: Sql = Sql::split(
    "select id, version, parent_id, code, kind, created_at_us, updated_at_us, closed_at_us, doc from branch \
     where ($1 = 1 or id = any($2)) and (parent_id = $3 or $3 is null) and (kind = $4 or $4 is null) \
     and (code = $5 or $5 is null) and ($6 = 1 or closed_at_us is null) \
     and (code > (select code from branch where id = $7) or $7 is null) \
     and ($9 = 1 or id = any($10)) order by code limit $8",
    "select id, version, parent_id, code, kind, created_at_us, updated_at_us, closed_at_us, doc from branch \
     where ($1 = 1 or id in (select unhex(value) from json_each($2))) and (parent_id = $3 or $3 is null) \
     and (kind = $4 or $4 is null) and (code = $5 or $5 is null) and ($6 = 1 or closed_at_us is null) \
     and (code > (select code from branch where id = $7) or $7 is null) \
     and ($9 = 1 or id in (select unhex(value) from json_each($10))) order by code limit $8",
);

/// $1 the tops.
pub(crate) const BELOW: Sql = Sql::split(
    "with recursive below as (select id from branch where id = any($1) \
     union select branch.id from branch join below on branch.parent_id = below.id) select id from below",
    "with recursive below as (select id from branch where id in (select unhex(value) from json_each($1)) \
     union select branch.id from branch join below on branch.parent_id = below.id) select id from below",
);

/// $1 the tops: each branch below each of them, with its top.
pub(crate) const BELOW_EACH: Sql = Sql::split(
    "with recursive below as (select id as top, id from branch where id = any($1) \
     union select below.top, branch.id from branch join below on branch.parent_id = below.id) select top, id from below",
    "with recursive below as (select id as top, id from branch where id in (select unhex(value) from json_each($1)) \
     union select below.top, branch.id from branch join below on branch.parent_id = below.id) select top, id from below",
);

/// $1 the branches to begin with.
pub(crate) const ABOVE: Sql = Sql::split(
    "with recursive above as (select id, parent_id from branch where id = any($1) \
     union select branch.id, branch.parent_id from branch join above on branch.id = above.parent_id) \
     select id from above",
    "with recursive above as (select id, parent_id from branch where id in (select unhex(value) from json_each($1)) \
     union select branch.id, branch.parent_id from branch join above on branch.id = above.parent_id) \
     select id from above",
);

/// $1 the branch.
pub(crate) const ANCESTORS: Sql = Sql::same(
    "with recursive above as (select parent_id as id, 1 as height from branch where id = $1 \
     union all select branch.parent_id, above.height + 1 from branch join above on branch.id = above.id) \
     select id from above where id is not null order by height desc",
);

/// $1 id, $2 all, $3 the branches of the scope and those above them. Who has a role everywhere is seen everywhere.
pub(crate) const STAFF_MEMBER: Sql = Sql::split(
    "select id, version, home_branch_id, created_at_us, updated_at_us, deactivated_at_us, doc from staff_member where id = $1 \
     and ($2 = 1 or home_branch_id = any($3) or exists (select 1 from jsonb_array_elements(doc->'grants') as held \
     where (held->>'all_branches')::boolean or exists (select 1 from jsonb_array_elements_text(held->'branch_ids') \
     as place where place.value::uuid = any($3))))",
    "select id, version, home_branch_id, created_at_us, updated_at_us, deactivated_at_us, doc from staff_member where id = $1 \
     and ($2 = 1 or home_branch_id in (select unhex(value) from json_each($3)) or exists \
     (select 1 from json_each(doc, '$.grants') as held where json_extract(held.value, '$.all_branches') or exists \
     (select 1 from json_each(held.value, '$.branch_ids') as place where unhex(place.value, '-') in \
     (select unhex(value) from json_each($3)))))",
);

/// $1 all, $2 the branches of the scope and those above them, $3 any branch, $4 the branch asked for and those above
/// it, $5 role, $6 and $7 last place shown, $8 limit, $9 who ceased too, $10 skill, $11 its least level, $12 now, $13
/// language, $14 team.
pub(crate) const STAFF_MEMBERS: Sql = Sql::split(
    "select id, version, home_branch_id, created_at_us, updated_at_us, deactivated_at_us, doc from staff_member \
     where ($1 = 1 or home_branch_id = any($2) or exists (select 1 from jsonb_array_elements(doc->'grants') as held \
     where (held->>'all_branches')::boolean or exists (select 1 from jsonb_array_elements_text(held->'branch_ids') \
     as place where place.value::uuid = any($2)))) \
     and (exists (select 1 from jsonb_array_elements(doc->'grants') as held \
     where (held->>'role' = $5 or $5 is null) and ($3 = 1 or (held->>'all_branches')::boolean \
     or exists (select 1 from jsonb_array_elements_text(held->'branch_ids') as place \
     where place.value::uuid = any($4)))) or ($3 = 1 and $5 is null)) \
     and ($9 = 1 or deactivated_at_us is null) \
     and (exists (select 1 from jsonb_array_elements(doc->'skills') as known where known->>'code' = $10 \
     and (known->>'level')::bigint >= $11 and coalesce((known->>'trained_until_us')::bigint > $12, true)) \
     or $10 is null) \
     and (exists (select 1 from jsonb_array_elements_text(doc->'languages') as known where known.value = $13) \
     or $13 is null) \
     and (exists (select 1 from jsonb_array_elements_text(doc->'team_ids') as known where known.value::uuid = $14) \
     or $14 is null) \
     and ((created_at_us, id) > ($6, $7) or $6 is null) order by created_at_us, id limit $8",
    "select id, version, home_branch_id, created_at_us, updated_at_us, deactivated_at_us, doc from staff_member \
     where ($1 = 1 or home_branch_id in (select unhex(value) from json_each($2)) or exists \
     (select 1 from json_each(doc, '$.grants') as held where json_extract(held.value, '$.all_branches') or exists \
     (select 1 from json_each(held.value, '$.branch_ids') as place where unhex(place.value, '-') in \
     (select unhex(value) from json_each($2))))) \
     and (exists (select 1 from json_each(doc, '$.grants') as held \
     where (json_extract(held.value, '$.role') = $5 or $5 is null) \
     and ($3 = 1 or json_extract(held.value, '$.all_branches') \
     or exists (select 1 from json_each(held.value, '$.branch_ids') as place \
     where unhex(place.value, '-') in (select unhex(value) from json_each($4))))) or ($3 = 1 and $5 is null)) \
     and ($9 = 1 or deactivated_at_us is null) \
     and ($10 is null or exists (select 1 from json_each(doc, '$.skills') as known \
     where json_extract(known.value, '$.code') = $10 and json_extract(known.value, '$.level') >= $11 \
     and coalesce(json_extract(known.value, '$.trained_until_us') > $12, true))) \
     and ($13 is null or exists (select 1 from json_each(doc, '$.languages') as known where known.value = $13)) \
     and ($14 is null or exists (select 1 from json_each(doc, '$.team_ids') as known \
     where unhex(known.value, '-') = $14)) \
     and ((created_at_us, id) > ($6, $7) or $6 is null) order by created_at_us, id limit $8",
);

/// $1 hash of issuer and name.
pub(crate) const STAFF_MEMBER_OF_IDENTITY: Sql = Sql::same(
    "select id, version, home_branch_id, created_at_us, updated_at_us, deactivated_at_us, doc from staff_member \
     where identity_key = $1 and deactivated_at_us is null",
);

/// $1 id.
pub(crate) const API_KEY: Sql = Sql::same(
    "select id, version, secret_hash, previous_hash, previous_until_us, rotated_at_us, all_branches, expires_at_us, revoked_at_us, created_at_us, updated_at_us, doc \
     from api_key where id = $1",
);

/// $1 all, $2 scope, $3 wall clock at which they must open the door, $4 and $5 last place shown, $6 limit.
pub(crate) const API_KEYS: Sql = Sql::split(
    "select id, version, secret_hash, previous_hash, previous_until_us, rotated_at_us, all_branches, expires_at_us, revoked_at_us, created_at_us, updated_at_us, doc \
     from api_key where ($1 = 1 or (all_branches = 0 and not exists \
     (select 1 from jsonb_array_elements_text(doc->'branch_ids') as place where place.value::uuid <> all($2)))) \
     and ((revoked_at_us is null and (expires_at_us > $3 or expires_at_us is null)) or $3 is null) \
     and ((created_at_us, id) < ($4, $5) or $4 is null) order by created_at_us desc, id desc limit $6",
    "select id, version, secret_hash, previous_hash, previous_until_us, rotated_at_us, all_branches, expires_at_us, revoked_at_us, created_at_us, updated_at_us, doc \
     from api_key where ($1 = 1 or (all_branches = 0 and not exists \
     (select 1 from json_each(doc, '$.branch_ids') as place where unhex(place.value, '-') not in \
     (select unhex(value) from json_each($2))))) \
     and ((revoked_at_us is null and (expires_at_us > $3 or expires_at_us is null)) or $3 is null) \
     and ((created_at_us, id) < ($4, $5) or $4 is null) order by created_at_us desc, id desc limit $6",
);

/// $1 ids of the keys.
pub(crate) const API_KEY_USES: Sql = Sql::split(
    "select id, last_used_at_us from api_key_use where id = any($1)",
    "select id, last_used_at_us from api_key_use where id in (select unhex(value) from json_each($1))",
);

/// $1 ids of the roles.
pub(crate) const ROLES_OF: Sql = Sql::split(
    "select id, version, code, created_at_us, updated_at_us, deleted_at_us, doc from role where id = any($1)",
    "select id, version, code, created_at_us, updated_at_us, deleted_at_us, doc from role \
     where id in (select unhex(value) from json_each($1))",
);

/// $1 most rows.
pub(crate) const ROLES: Sql = Sql::same(
    "select id, version, code, created_at_us, updated_at_us, deleted_at_us, doc from role order by code limit $1",
);

/// $1 id: a row if the person works here.
pub(crate) const WORKING_STAFF_MEMBER: Sql =
    Sql::same("select cast(1 as bigint) from staff_member where id = $1 and deactivated_at_us is null");

/// $1 the branches.
pub(crate) const BRANCH_CALENDARS: Sql = Sql::split(
    "select id, version, created_at_us, updated_at_us, doc from branch_calendar where id = any($1)",
    "select id, version, created_at_us, updated_at_us, doc from branch_calendar \
     where id in (select unhex(value) from json_each($1))",
);

/// $1 ids of the sets.
pub(crate) const HOLIDAY_SETS_OF: Sql = Sql::split(
    "select id, version, code, created_at_us, updated_at_us, doc from holiday_set where id = any($1)",
    "select id, version, code, created_at_us, updated_at_us, doc from holiday_set \
     where id in (select unhex(value) from json_each($1))",
);

/// $1 and $2 last place shown, $3 limit.
pub(crate) const HOLIDAY_SETS: Sql = Sql::same(
    "select id, version, code, created_at_us, updated_at_us, doc from holiday_set \
     where ((created_at_us, id) > ($1, $2) or $1 is null) order by created_at_us, id limit $3",
);

/// $1 id.
pub(crate) const TEAM: Sql = Sql::same(
    "select id, version, branch_id, created_at_us, updated_at_us, dissolved_at_us, doc from team where id = $1",
);

/// $1 all, $2 scope, $3 any branch, $4 the branch and those below it, $5 dissolved too, $6 and $7 last place shown,
/// $8 limit.
pub(crate) const TEAMS: Sql = Sql::split(
    "select id, version, branch_id, created_at_us, updated_at_us, dissolved_at_us, doc from team \
     where ($1 = 1 or branch_id = any($2)) and ($3 = 1 or branch_id = any($4)) \
     and ($5 = 1 or dissolved_at_us is null) \
     and ((created_at_us, id) > ($6, $7) or $6 is null) order by created_at_us, id limit $8",
    "select id, version, branch_id, created_at_us, updated_at_us, dissolved_at_us, doc from team \
     where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) and ($3 = 1 or branch_id in (select unhex(value) from json_each($4))) \
     and ($5 = 1 or dissolved_at_us is null) \
     and ((created_at_us, id) > ($6, $7) or $6 is null) order by created_at_us, id limit $8",
);

/// $1 all, $2 scope, $3 any branch, $4 the branch and those below it, $5 person, $6 ends after, $7 begins before, $8
/// cancelled too, $9 and $10 last place shown, $11 limit.
pub(crate) const SHIFTS: Sql = Sql::split(
    "select id, version, staff_member_id, branch_id, starts_at_us, ends_at_us, created_at_us, updated_at_us, cancelled_at_us \
     from shift where ($1 = 1 or branch_id = any($2)) and ($3 = 1 or branch_id = any($4)) \
     and (staff_member_id = $5 or $5 is null) and (ends_at_us > $6 or $6 is null) and (starts_at_us < $7 or $7 is null) \
     and ($8 = 1 or cancelled_at_us is null) \
     and ((starts_at_us, id) > ($9, $10) or $9 is null) order by starts_at_us, id limit $11",
    "select id, version, staff_member_id, branch_id, starts_at_us, ends_at_us, created_at_us, updated_at_us, cancelled_at_us \
     from shift where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) and ($3 = 1 or branch_id in (select unhex(value) from json_each($4))) \
     and (staff_member_id = $5 or $5 is null) and (ends_at_us > $6 or $6 is null) and (starts_at_us < $7 or $7 is null) \
     and ($8 = 1 or cancelled_at_us is null) \
     and ((starts_at_us, id) > ($9, $10) or $9 is null) order by starts_at_us, id limit $11",
);

/// $1 all, $2 scope, $3 any branch, $4 the branch and those below it, $5 state, $6 now, $7 last id shown, $8 limit. What
/// was said until a time that has passed is `offline`.
pub(crate) const PRESENCES: Sql = Sql::split(
    "select id, version, branch_id, state, since_us, until_us, created_at_us, updated_at_us from presence \
     where ($1 = 1 or branch_id = any($2)) and ($3 = 1 or branch_id = any($4)) \
     and (case when until_us <= $6 then 'offline' else state end = $5 or $5 is null) \
     and (id > $7 or $7 is null) order by id limit $8",
    "select id, version, branch_id, state, since_us, until_us, created_at_us, updated_at_us from presence \
     where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) and ($3 = 1 or branch_id in (select unhex(value) from json_each($4))) \
     and (case when until_us <= $6 then 'offline' else state end = $5 or $5 is null) \
     and (id > $7 or $7 is null) order by id limit $8",
);

pub(crate) const ANY_API_KEY: Sql = Sql::same("select cast(1 as bigint) from api_key limit 1");

/// Every statement above, for the test that prepares them on both engines.
pub const ALL: &[Sql] = &[
    BRANCH,
    BRANCHES,
    BELOW,
    BELOW_EACH,
    ABOVE,
    ANCESTORS,
    STAFF_MEMBER,
    STAFF_MEMBERS,
    STAFF_MEMBER_OF_IDENTITY,
    API_KEY,
    API_KEYS,
    API_KEY_USES,
    ROLES_OF,
    ROLES,
    WORKING_STAFF_MEMBER,
    BRANCH_CALENDARS,
    HOLIDAY_SETS_OF,
    HOLIDAY_SETS,
    TEAM,
    TEAMS,
    SHIFTS,
    PRESENCES,
    ANY_API_KEY,
];
