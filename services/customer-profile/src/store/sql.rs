//! Every statement of this service. In all of them but the coalesced read `$1` says whether the caller sees every branch and `$2` lists the
//! branches otherwise.

use ::store::Sql;

/// Columns of a customer with the instant at which it was first seen.
macro_rules! customer {
    ($from:literal) => {
        concat!(
            "select c.id, c.version, c.kind, c.state, c.home_branch_id, c.created_at_us, c.updated_at_us, c.doc, \
             t.first_seen_at_us from customer c join tally t on t.customer_id = c.id ",
            $from
        )
    };
}

/// A customer is seen by whoever works at a branch where it was.
macro_rules! seen {
    (postgres $id:literal) => {
        concat!(
            "($1 = 1 or exists (select 1 from presence p where p.customer_id = ",
            $id,
            " and p.branch_id = any($2)))"
        )
    };
    (sqlite $id:literal) => {
        concat!(
            "($1 = 1 or exists (select 1 from presence p where p.customer_id = ",
            $id,
            " and p.branch_id in (select unhex(value) from json_each($2))))"
        )
    };
}

pub(super) const FIND_CUSTOMER: Sql = Sql::split(
    concat!(customer!("where c.id = $3 and "), seen!(postgres "c.id")),
    concat!(customer!("where c.id = $3 and "), seen!(sqlite "c.id")),
);

/// For callers who see every branch: many customers at once.
pub(super) const FIND_CUSTOMERS: Sql =
    Sql::split(customer!("where c.id = any($1)"), customer!("where c.id in (select unhex(value) from json_each($1))"));

pub(super) const FIND_BY_HANDLE: Sql = Sql::split(
    concat!(customer!("join claim k on k.owner = c.id where k.key = $3 and "), seen!(postgres "c.id")),
    concat!(customer!("join claim k on k.owner = c.id where k.key = $3 and "), seen!(sqlite "c.id")),
);

pub(super) const LIST_CUSTOMERS: Sql = Sql::split(
    concat!(
        customer!("where "),
        seen!(postgres "c.id"),
        " and ($3 = '' or c.kind = $3) and ($4 = '' or c.doc -> 'tags' @> to_jsonb($4::text))",
        " and c.id < $5 order by c.id desc limit $6"
    ),
    concat!(
        customer!("where "),
        seen!(sqlite "c.id"),
        " and ($3 = '' or c.kind = $3)",
        " and ($4 = '' or exists (select 1 from json_each(c.doc, '$.tags') where value = $4))",
        " and c.id < $5 order by c.id desc limit $6"
    ),
);

pub(super) const LIST_CUSTOMERS_OF_BRANCH: Sql = Sql::split(
    concat!(
        customer!("where "),
        seen!(postgres "c.id"),
        " and ($3 = '' or c.kind = $3) and ($4 = '' or c.doc -> 'tags' @> to_jsonb($4::text))",
        " and c.home_branch_id = $7 and c.id < $5 order by c.id desc limit $6"
    ),
    concat!(
        customer!("where "),
        seen!(sqlite "c.id"),
        " and ($3 = '' or c.kind = $3)",
        " and ($4 = '' or exists (select 1 from json_each(c.doc, '$.tags') where value = $4))",
        " and c.home_branch_id = $7 and c.id < $5 order by c.id desc limit $6"
    ),
);

pub(super) const FIND_TALLY: Sql = Sql::split(
    concat!(
        "select t.first_seen_at_us, t.doc from tally t where t.customer_id = $3 and ",
        seen!(postgres "t.customer_id")
    ),
    concat!(
        "select t.first_seen_at_us, t.doc from tally t where t.customer_id = $3 and ",
        seen!(sqlite "t.customer_id")
    ),
);

/// A purchase in the caller's branches, and the rest of a condition on it.
macro_rules! purchase {
    (postgres $rest:literal) => {
        concat!(purchase!(columns), "($1 = 1 or branch_id = any($2)) and ", $rest)
    };
    (sqlite $rest:literal) => {
        concat!(purchase!(columns), "($1 = 1 or branch_id in (select unhex(value) from json_each($2))) and ", $rest)
    };
    (columns) => {
        "select id, version, source_system, source_ref, branch_id, customer_id, kind, occurred_at_us, recorded_at_us, \
         currency, total_minor, earning_minor, fingerprint, original_source_ref, lines from purchase where "
    };
    (page $engine:tt $more:literal) => {
        concat!(
            purchase!($engine "occurred_at_us >= $3 and occurred_at_us < $4 and (occurred_at_us, id) < ($5, $6) "),
            $more,
            " order by occurred_at_us desc, id desc limit $7"
        )
    };
}

pub(super) const FIND_PURCHASE: Sql = Sql::split(purchase!(postgres "id = $3"), purchase!(sqlite "id = $3"));

pub(super) const LIST_PURCHASES: Sql = Sql::split(purchase!(page postgres ""), purchase!(page sqlite ""));

pub(super) const LIST_PURCHASES_OF_BRANCH: Sql =
    Sql::split(purchase!(page postgres "and branch_id = $8"), purchase!(page sqlite "and branch_id = $8"));

/// With a branch in `$9` only those at this branch.
pub(super) const LIST_PURCHASES_OF_CUSTOMER: Sql = Sql::split(
    purchase!(page postgres "and customer_id = $8 and (branch_id = $9 or $9 is null)"),
    purchase!(page sqlite "and customer_id = $8 and (branch_id = $9 or $9 is null)"),
);

macro_rules! counted {
    (postgres) => {
        "from purchase where ($1 = 1 or branch_id = any($2)) and occurred_at_us >= $3 and occurred_at_us < $4 \
         and (branch_id = $5 or $5 is null) and ($6 = '' or source_system = $6)"
    };
    (sqlite) => {
        "from purchase where ($1 = 1 or branch_id in (select unhex(value) from json_each($2))) \
         and occurred_at_us >= $3 and occurred_at_us < $4 \
         and (branch_id = $5 or $5 is null) and ($6 = '' or source_system = $6)"
    };
}

macro_rules! sums {
    ($engine:tt) => {
        concat!(
            "select kind, currency, count(*) as purchases, cast(sum(line_count) as bigint) as lines, \
             cast(sum(total_minor) as bigint) as total_minor ",
            counted!($engine),
            " group by kind, currency order by kind, currency"
        )
    };
}

macro_rules! buyers {
    ($engine:tt) => {
        concat!(
            "select count(distinct customer_id) as customers, count(*) - count(customer_id) as unknown ",
            counted!($engine)
        )
    };
}

pub(super) const SUM_PURCHASES: Sql = Sql::split(sums!(postgres), sums!(sqlite));

pub(super) const COUNT_BUYERS: Sql = Sql::split(buyers!(postgres), buyers!(sqlite));

/// For counting only: who asks may see the customer, and no line is shown.
pub(super) const NEWEST_LINES: Sql =
    Sql::same("select kind, lines from purchase where customer_id = $1 order by occurred_at_us desc, id desc limit $2");

/// Entries without a branch belong to the customer and are seen by whoever sees the customer.
pub(super) const LIST_TIMELINE: Sql = Sql::split(
    "select id, customer_id, occurred_at_us, service, kind, subject_type, subject_id, branch_id, facts \
     from timeline_entry where customer_id = $3 and (occurred_at_us, id) < ($4, $5) \
     and ($1 = 1 or branch_id is null or branch_id = any($2)) and ($7 = 1 or service = any($8)) \
     order by occurred_at_us desc, id desc limit $6",
    "select id, customer_id, occurred_at_us, service, kind, subject_type, subject_id, branch_id, facts \
     from timeline_entry where customer_id = $3 and (occurred_at_us, id) < ($4, $5) \
     and ($1 = 1 or branch_id is null or branch_id in (select unhex(value) from json_each($2))) \
     and ($7 = 1 or service in (select value from json_each($8))) \
     order by occurred_at_us desc, id desc limit $6",
);

/// All of them, for the test that prepares each on both engines.
pub const ALL: &[Sql] = &[
    FIND_CUSTOMER,
    FIND_CUSTOMERS,
    FIND_BY_HANDLE,
    LIST_CUSTOMERS,
    LIST_CUSTOMERS_OF_BRANCH,
    FIND_TALLY,
    FIND_PURCHASE,
    LIST_PURCHASES,
    LIST_PURCHASES_OF_BRANCH,
    LIST_PURCHASES_OF_CUSTOMER,
    SUM_PURCHASES,
    COUNT_BUYERS,
    NEWEST_LINES,
    LIST_TIMELINE,
];
