//! Every SQL text of the feedback service. Lists run newest first, which is the order of ids.

use ::store::Sql;

/// $1 id, $2 all, $3 the branches of the scope and those above them. A survey without branches works in all of them.
pub(crate) const SURVEY: Sql = Sql::split(
    "select id, version, code, state, created_at_us, updated_at_us, doc from survey where id = $1 \
     and ($2 = 1 or jsonb_array_length(doc->'branches') = 0 or exists \
     (select 1 from jsonb_array_elements_text(doc->'branches') as place where place.value::uuid = any($3)))",
    "select id, version, code, state, created_at_us, updated_at_us, doc from survey where id = $1 \
     and ($2 = 1 or json_array_length(doc, '$.branches') = 0 or exists \
     (select 1 from json_each(doc, '$.branches') as place where unhex(place.value, '-') in \
     (select unhex(value) from json_each($3))))",
);

/// $1 all, $2 the branches of the scope and those above them, $3 state, $4 last id shown, $5 limit.
pub(crate) const SURVEYS: Sql = Sql::split(
    "select id, version, code, state, created_at_us, updated_at_us, doc from survey \
     where ($1 = 1 or jsonb_array_length(doc->'branches') = 0 or exists \
     (select 1 from jsonb_array_elements_text(doc->'branches') as place where place.value::uuid = any($2))) \
     and (state = $3 or $3 is null) and (id < $4 or $4 is null) order by id desc limit $5",
    "select id, version, code, state, created_at_us, updated_at_us, doc from survey \
     where ($1 = 1 or json_array_length(doc, '$.branches') = 0 or exists \
     (select 1 from json_each(doc, '$.branches') as place where unhex(place.value, '-') in \
     (select unhex(value) from json_each($2)))) \
     and (state = $3 or $3 is null) and (id < $4 or $4 is null) order by id desc limit $5",
);

pub(crate) const ACTIVE_SURVEYS: Sql = Sql::same(
    "select id, version, code, state, created_at_us, updated_at_us, doc from survey where state = 'active' order by id",
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

/// $1 id, $2 all, $3 scope.
pub(crate) const INVITATION: Sql = Sql::split(
    "select id, version, survey_id, customer_id, branch_id, scheduled_at_us, sent_at_us, expires_at_us, created_at_us, \
     updated_at_us, doc from invitation where id = $1 and ($2 = 1 or branch_id = any($3))",
    "select id, version, survey_id, customer_id, branch_id, scheduled_at_us, sent_at_us, expires_at_us, created_at_us, \
     updated_at_us, doc from invitation where id = $1 \
     and ($2 = 1 or branch_id in (select unhex(value) from json_each($3)))",
);

/// $1 all, $2 scope, $3 survey, $4 customer, $5 state, $6 last id shown, $7 limit.
pub(crate) const INVITATIONS: Sql = Sql::split(
    "select id, version, survey_id, customer_id, branch_id, scheduled_at_us, sent_at_us, expires_at_us, created_at_us, \
     updated_at_us, doc from invitation where ($1 = 1 or branch_id = any($2)) and (survey_id = $3 or $3 is null) \
     and (customer_id = $4 or $4 is null) and (state = $5 or $5 is null) and (id < $6 or $6 is null) \
     order by id desc limit $7",
    "select id, version, survey_id, customer_id, branch_id, scheduled_at_us, sent_at_us, expires_at_us, created_at_us, \
     updated_at_us, doc from invitation where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) \
     and (survey_id = $3 or $3 is null) and (customer_id = $4 or $4 is null) and (state = $5 or $5 is null) \
     and (id < $6 or $6 is null) order by id desc limit $7",
);

/// $1 now, $2 limit.
pub(crate) const TO_SEND: Sql = Sql::same(
    "select id from invitation where state = 'scheduled' and scheduled_at_us <= $1 order by scheduled_at_us limit $2",
);

/// $1 now, $2 limit.
pub(crate) const TO_EXPIRE: Sql =
    Sql::same("select id from invitation where state = 'sent' and expires_at_us <= $1 order by expires_at_us limit $2");

/// $1 id, $2 all, $3 scope.
pub(crate) const RESPONSE: Sql = Sql::split(
    "select id, version, survey_id, invitation_id, customer_id, branch_id, score, completed_at_us, updated_at_us, doc \
     from response where id = $1 and ($2 = 1 or branch_id = any($3))",
    "select id, version, survey_id, invitation_id, customer_id, branch_id, score, completed_at_us, updated_at_us, doc \
     from response where id = $1 and ($2 = 1 or branch_id in (select unhex(value) from json_each($3)))",
);

/// $1 all, $2 scope, $3 survey, $4 customer, $5 branch, $6 last id shown, $7 limit.
pub(crate) const RESPONSES: Sql = Sql::split(
    "select id, version, survey_id, invitation_id, customer_id, branch_id, score, completed_at_us, updated_at_us, doc \
     from response where ($1 = 1 or branch_id = any($2)) and (survey_id = $3 or $3 is null) \
     and (customer_id = $4 or $4 is null) and (branch_id = $5 or $5 is null) and (id < $6 or $6 is null) \
     order by id desc limit $7",
    "select id, version, survey_id, invitation_id, customer_id, branch_id, score, completed_at_us, updated_at_us, doc \
     from response where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) \
     and (survey_id = $3 or $3 is null) and (customer_id = $4 or $4 is null) and (branch_id = $5 or $5 is null) \
     and (id < $6 or $6 is null) order by id desc limit $7",
);

/// $1 all, $2 scope, $3 survey, $4 branch, $5 first instant, $6 first instant after. Skipped answers have no score.
pub(crate) const COUNTS: Sql = Sql::split(
    "select score, count(*) from response where ($1 = 1 or branch_id = any($2)) and survey_id = $3 \
     and score is not null and (branch_id = $4 or $4 is null) and (completed_at_us >= $5 or $5 is null) \
     and (completed_at_us < $6 or $6 is null) group by score order by score",
    "select score, count(*) from response where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) \
     and survey_id = $3 and score is not null and (branch_id = $4 or $4 is null) \
     and (completed_at_us >= $5 or $5 is null) and (completed_at_us < $6 or $6 is null) group by score order by score",
);

/// Arguments as of [`COUNTS`].
pub(crate) const COUNT_SENT: Sql = Sql::split(
    "select count(*) from invitation where ($1 = 1 or branch_id = any($2)) and survey_id = $3 \
     and sent_at_us is not null and (branch_id = $4 or $4 is null) and (sent_at_us >= $5 or $5 is null) \
     and (sent_at_us < $6 or $6 is null)",
    "select count(*) from invitation where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) \
     and survey_id = $3 and sent_at_us is not null and (branch_id = $4 or $4 is null) \
     and (sent_at_us >= $5 or $5 is null) and (sent_at_us < $6 or $6 is null)",
);

/// Responses of a customer that still hold answers. $1 customer, $2 limit.
pub(crate) const TO_ERASE: Sql = Sql::same(
    "select id from response where customer_id = $1 and (doc ->> 'erased_at_us') is null order by id limit $2",
);

/// $1 id.
pub(crate) const LINK_SECRET: Sql = Sql::same("select id, secret from link_secret where id = $1");

/// Every statement above, for the test that prepares them on both engines.
pub const ALL: &[Sql] = &[
    SURVEY,
    SURVEYS,
    ACTIVE_SURVEYS,
    ABOVE,
    INVITATION,
    INVITATIONS,
    TO_SEND,
    TO_EXPIRE,
    RESPONSE,
    RESPONSES,
    COUNTS,
    COUNT_SENT,
    LINK_SECRET,
    TO_ERASE,
];
