//! Every SQL text of the search. A search walks one index in the order of the list: that of the rarest word, of one branch,
//! or of all complaints; everything else is a condition on the way.

use ::store::Sql;

/// What every search has in common. $1 all, $2 scope, $3 states, $4 any branch, $5 branches, $6 customer, $7 owner,
/// $8 category, $9 cause, $10 severities, $11 standings with clocks, $12 opened from, $13 opened before.
macro_rules! conditions {
    ($scope:literal, $states:literal, $branches:literal, $severities:literal, $slas:literal) => {
        concat!(
            "($1 = 1 or ",
            $scope,
            ") and ",
            $states,
            " and ($4 = 1 or ",
            $branches,
            ") \
             and (c.customer_id = $6 or $6 is null) and (c.owner_staff_id = $7 or $7 is null) \
             and (c.category = $8 or $8 is null) and (c.cause = $9 or $9 is null) and ",
            $severities,
            " and ",
            $slas,
            " \
             and c.opened_at_us >= $12 and c.opened_at_us < $13"
        )
    };
    (postgres) => {
        conditions!(
            "c.branch_id = any($2)",
            "c.state = any($3)",
            "c.branch_id = any($5)",
            "coalesce(c.severity, 'MEDIUM') = any($10)",
            "coalesce(c.sla_state, 'NONE') = any($11)"
        )
    };
    (sqlite) => {
        conditions!(
            "c.branch_id in (select unhex(value) from json_each($2))",
            "c.state in (select value from json_each($3))",
            "c.branch_id in (select unhex(value) from json_each($5))",
            "coalesce(c.severity, 'MEDIUM') in (select value from json_each($10))",
            "coalesce(c.sla_state, 'NONE') in (select value from json_each($11))"
        )
    };
}

macro_rules! columns {
    () => {
        "c.id, c.version, c.number, c.state, c.branch_id, c.customer_id, c.owner_staff_id, c.channel, c.opened_at_us, \
         c.created_at_us, c.updated_at_us, c.doc"
    };
}

/// $14 and $15 last place shown, $16 limit; $17 the branch whose index is walked.
macro_rules! found {
    ($engine:ident, $narrow:literal) => {
        concat!(
            "select ",
            columns!(),
            " from complaint c where ",
            $narrow,
            " and ",
            conditions!($engine),
            " \
             and (c.opened_at_us, c.id) < ($14, $15) order by c.opened_at_us desc, c.id desc limit $16"
        )
    };
}

/// All of a search without words, newest first.
pub(super) const FOUND: Sql = Sql::split(
    found!(postgres, "(c.branch_id = $17 or $17 is null)"),
    found!(sqlite, "(c.branch_id = $17 or $17 is null)"),
);

/// Those of one branch.
pub(super) const FOUND_IN_BRANCH: Sql =
    Sql::split(found!(postgres, "c.branch_id = $17"), found!(sqlite, "c.branch_id = $17"));

/// The rest of the words stands in each, too: $18 the rarest word, $19 the others.
macro_rules! others {
    (postgres) => {
        others!("unnest($19::text[])", "o.other", "o(other)")
    };
    (sqlite) => {
        others!("json_each($19)", "o.value", "o")
    };
    ($list:literal, $word:literal, $name:literal) => {
        concat!(
            "not exists (select 1 from ",
            $list,
            " as ",
            $name,
            " where not exists (select 1 from complaint_word x \
             where x.word = ",
            $word,
            " and x.opened_at_us = w.opened_at_us and x.complaint_id = w.complaint_id))"
        )
    };
}

macro_rules! worded {
    ($engine:ident) => {
        concat!(
            "select ",
            columns!(),
            " from complaint_word w join complaint c on c.id = w.complaint_id where w.word = $18 \
             and ",
            others!($engine),
            " and (c.branch_id = $17 or $17 is null) and ",
            conditions!($engine),
            " \
             and (w.opened_at_us, w.complaint_id) < ($14, $15) \
             order by w.opened_at_us desc, w.complaint_id desc limit $16"
        )
    };
}

/// All of a search with words, newest first.
pub(super) const WORDED: Sql = Sql::split(worded!(postgres), worded!(sqlite));

macro_rules! counted {
    ($engine:ident) => {
        concat!(
            "select c.state, coalesce(c.severity, 'MEDIUM') as severity, coalesce(c.sla_state, 'NONE') as sla_state, \
             count(*) as number from complaint c where ", conditions!($engine), " group by 1, 2, 3"
        )
    };
    (worded $engine:ident) => {
        concat!(
            "select c.state, coalesce(c.severity, 'MEDIUM') as severity, coalesce(c.sla_state, 'NONE') as sla_state, \
             count(*) as number from complaint_word w join complaint c on c.id = w.complaint_id where w.word = $14 and ",
            counted!(others $engine), " and ", conditions!($engine), " group by 1, 2, 3"
        )
    };
    (others postgres) => {
        "not exists (select 1 from unnest($15::text[]) as o(other) where not exists (select 1 from complaint_word x \
         where x.word = o.other and x.opened_at_us = w.opened_at_us and x.complaint_id = w.complaint_id))"
    };
    (others sqlite) => {
        "not exists (select 1 from json_each($15) as o where not exists (select 1 from complaint_word x \
         where x.word = o.value and x.opened_at_us = w.opened_at_us and x.complaint_id = w.complaint_id))"
    };
}

pub(super) const COUNTED: Sql = Sql::split(counted!(postgres), counted!(sqlite));

/// $14 the rarest word, $15 the others.
pub(super) const COUNTED_WORDED: Sql = Sql::split(counted!(worded postgres), counted!(worded sqlite));

/// How many complaints a word stands in, up to a limit. $1 word, $2 limit.
pub(super) const FREQUENCY: Sql =
    Sql::same("select count(*) from (select 1 as one from complaint_word where word = $1 limit $2) as seen");

/// $1 ids.
pub(super) const BY_ID: Sql = Sql::split(
    concat!("select ", columns!(), " from complaint c where c.id = any($1)"),
    concat!("select ", columns!(), " from complaint c where c.id in (select unhex(value) from json_each($1))"),
);

/// The words of conversations. $1 complaints, $2 limit.
pub(super) const BODIES: Sql = Sql::split(
    "select complaint_id, subject_id, id, body from interaction where complaint_id = any($1) order by complaint_id, seq limit $2",
    "select complaint_id, subject_id, id, body from interaction where complaint_id in (select unhex(value) from json_each($1)) \
     order by complaint_id, seq limit $2",
);

pub(super) const INDEXED: Sql = Sql::same("select seq from search_index");

/// Every statement above, for the test that prepares them on both engines.
pub const ALL: &[Sql] = &[FOUND, FOUND_IN_BRANCH, WORDED, COUNTED, COUNTED_WORDED, FREQUENCY, BY_ID, BODIES, INDEXED];
