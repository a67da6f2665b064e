//! Every SQL text of the ticketing service. Bounds that a caller leaves open are bound to the ends of their
//! range, so that every list walks an index from one place to another.

use ::store::Sql;

/// The columns of a complaint, in the order of its row.
macro_rules! complaint_columns {
    () => {
        "id, version, number, state, branch_id, customer_id, owner_staff_id, channel, opened_at_us, created_at_us, \
         updated_at_us, doc"
    };
}

/// The columns of a follow-up, in the order of its row.
macro_rules! follow_up_columns {
    () => {
        "id, version, complaint_id, complaint_number, branch_id, customer_id, kind, state, attempt, due_at_us, \
         completed_at_us, note"
    };
}

/// Complaints, newest first. $1 all, $2 scope, $3 states, $4 branch, $5 customer, $6 owner, $7 opened from, $8 opened
/// before, $9 and $10 last place shown, $11 limit. `$narrow` is the condition whose index is walked.
macro_rules! complaints {
    ($narrow:literal) => {
        Sql::split(
            complaints!(text $narrow, "branch_id = any($2)", "state = any($3)"),
            complaints!(
                text $narrow,
                "branch_id in (select unhex(value) from json_each($2))",
                "state in (select value from json_each($3))"
            ),
        )
    };
    (text $narrow:literal, $scope:literal, $states:literal) => {
        concat!(
            "select ", complaint_columns!(), " from complaint where ", $narrow, " and ($1 = 1 or ", $scope, ") and ",
            $states, " and opened_at_us >= $7 and opened_at_us < $8 and (opened_at_us, id) < ($9, $10) \
             order by opened_at_us desc, id desc limit $11"
        )
    };
}

pub(crate) const COMPLAINTS: Sql = complaints!(
    "(branch_id = $4 or $4 is null) and (customer_id = $5 or $5 is null) and (owner_staff_id = $6 or $6 is null)"
);

pub(crate) const COMPLAINTS_OF_BRANCH: Sql =
    complaints!("branch_id = $4 and (customer_id = $5 or $5 is null) and (owner_staff_id = $6 or $6 is null)");

pub(crate) const COMPLAINTS_OF_CUSTOMER: Sql =
    complaints!("customer_id = $5 and (branch_id = $4 or $4 is null) and (owner_staff_id = $6 or $6 is null)");

pub(crate) const COMPLAINTS_OF_OWNER: Sql =
    complaints!("owner_staff_id = $6 and (branch_id = $4 or $4 is null) and (customer_id = $5 or $5 is null)");

/// The complaints of a scope, counted by everything that statistics tell apart. $1 all, $2 scope, $3 branch, $4 source
/// system, $5 opened from, $6 opened before.
pub(crate) const STATISTICS: Sql = Sql::split(
    "select branch_id, state, channel, product, company_response, timely, disputed, count(*) as number from complaint \
     where ($1 = 1 or branch_id = any($2)) and (branch_id = $3 or $3 is null) and (source_system = $4 or $4 is null) \
     and opened_at_us >= $5 and opened_at_us < $6 \
     group by branch_id, state, channel, product, company_response, timely, disputed",
    "select branch_id, state, channel, product, company_response, timely, disputed, count(*) as number from complaint \
     where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) and (branch_id = $3 or $3 is null) \
     and (source_system = $4 or $4 is null) and opened_at_us >= $5 and opened_at_us < $6 \
     group by branch_id, state, channel, product, company_response, timely, disputed",
);

/// $1 complaint, $2 last version shown, $3 limit.
pub(crate) const HISTORY: Sql = Sql::same(
    "select complaint_id, version, kind, actor, from_state, to_state, code, occurred_at_us from complaint_history \
     where complaint_id = $1 and version > $2 order by version limit $3",
);

/// $1 complaint, $2 last number shown, $3 limit.
pub(crate) const INTERACTIONS: Sql = Sql::same(
    "select id, complaint_id, seq, direction, channel, body, external_message_id, recorded_by, occurred_at_us, \
     recorded_at_us, doc from interaction where complaint_id = $1 and seq > $2 order by seq limit $3",
);

/// $1 ids.
pub(crate) const FOLLOW_UPS_BY_ID: Sql = Sql::split(
    concat!("select ", follow_up_columns!(), " from follow_up where id = any($1) order by id"),
    concat!(
        "select ",
        follow_up_columns!(),
        " from follow_up where id in (select unhex(value) from json_each($1)) order by id"
    ),
);

/// Follow-ups, first due first. $1 all, $2 scope, $3 states, $4 branch, $5 due before, $6 and $7 last place shown,
/// $8 limit.
pub(crate) const FOLLOW_UPS: Sql = Sql::split(
    concat!(
        "select ",
        follow_up_columns!(),
        " from follow_up where ($1 = 1 or branch_id = any($2)) and state = any($3) and (branch_id = $4 or $4 is null) \
         and due_at_us < $5 and (due_at_us, id) > ($6, $7) order by due_at_us, id limit $8"
    ),
    concat!(
        "select ",
        follow_up_columns!(),
        " from follow_up where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) \
         and state in (select value from json_each($3)) and (branch_id = $4 or $4 is null) \
         and due_at_us < $5 and (due_at_us, id) > ($6, $7) order by due_at_us, id limit $8"
    ),
);

/// What the timer has to fire. $1 now, $2 limit.
pub(crate) const FOLLOW_UPS_DUE: Sql =
    Sql::same("select id from follow_up where state = 'SCHEDULED' and due_at_us <= $1 order by due_at_us, id limit $2");

/// The count of changes of the rules.
pub(crate) const RULE_BOOK: Sql = Sql::same("select id, version, revision, swept from rule_book");

/// The columns of a policy, in the order of its row.
macro_rules! sla_policy_columns {
    () => {
        "id, version, code, position, retired, created_at_us, updated_at_us, doc"
    };
}

/// Policies that hold, in the order in which they are tried.
pub(crate) const SLA_POLICIES_IN_FORCE: Sql =
    Sql::same(concat!("select ", sla_policy_columns!(), " from sla_policy where retired = 0 order by position, code"));

/// $1 and $2 last place shown, $3 limit.
pub(crate) const SLA_POLICIES: Sql = Sql::same(concat!(
    "select ",
    sla_policy_columns!(),
    " from sla_policy where (position, id) > ($1, $2) order by position, id limit $3"
));

/// $1 code.
pub(crate) const SLA_POLICY_BY_CODE: Sql =
    Sql::same(concat!("select ", sla_policy_columns!(), " from sla_policy where code = $1"));

pub(crate) const BRANCH_HOURS: Sql =
    Sql::same("select branch_id, since_us, calendar from branch_hours order by branch_id, since_us");

pub(crate) const BRANCH_PARENTS: Sql = Sql::same("select id, parent_id from branch where parent_id is not null");

/// What the timer of clocks has to look at. $1 now, $2 limit.
pub(crate) const CLOCKS_DUE: Sql =
    Sql::same("select id from complaint where sla_next_at_us <= $1 order by sla_next_at_us, id limit $2");

/// Open cases, oldest first. $1 and $2 last place seen, $3 limit.
pub(crate) const OPEN_AFTER: Sql = Sql::same(
    "select opened_at_us, id from complaint where (opened_at_us, id) > ($1, $2) \
     and state not in ('RESOLVED', 'CLOSED', 'WITHDRAWN', 'RECLASSIFIED', 'MERGED') order by opened_at_us, id limit $3",
);

/// $1 branch.
pub(crate) const MANDATE_BY_ID: Sql = Sql::same("select id, version, doc from mandate where id = $1");

/// $1 id.
pub(crate) const STAFF_BY_ID: Sql = Sql::same("select id, version, doc from staff where id = $1");

/// $1 ids.
pub(crate) const TEMPLATES_BY_ID: Sql = Sql::split(
    "select id, version, doc from template where id = any($1)",
    "select id, version, doc from template where id in (select unhex(value) from json_each($1))",
);

/// $1 branch, $2 last id shown, $3 limit.
pub(crate) const BUDGETS: Sql = Sql::same(
    "select id, version, branch_id, period, doc from budget where branch_id = $1 and id > $2 order by id limit $3",
);

/// What the timer has to fire. $1 now, $2 limit.
pub(crate) const DEADLINES_DUE: Sql =
    Sql::same("select id from deadline where done = 0 and due_at_us <= $1 order by due_at_us, id limit $2");

/// Every statement above, for the test that prepares them on both engines.
pub const ALL: &[Sql] = &[
    COMPLAINTS,
    COMPLAINTS_OF_BRANCH,
    COMPLAINTS_OF_CUSTOMER,
    COMPLAINTS_OF_OWNER,
    STATISTICS,
    HISTORY,
    INTERACTIONS,
    FOLLOW_UPS_BY_ID,
    FOLLOW_UPS,
    FOLLOW_UPS_DUE,
    MANDATE_BY_ID,
    BUDGETS,
    STAFF_BY_ID,
    TEMPLATES_BY_ID,
    DEADLINES_DUE,
    RULE_BOOK,
    SLA_POLICIES_IN_FORCE,
    SLA_POLICIES,
    SLA_POLICY_BY_CODE,
    BRANCH_HOURS,
    BRANCH_PARENTS,
    CLOCKS_DUE,
    OPEN_AFTER,
];
