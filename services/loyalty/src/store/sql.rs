//! Every SQL text of the loyalty service.

use ::store::Sql;

macro_rules! program_columns {
    () => {
        "id, version, code, state, rule_version, created_at_us, updated_at_us, doc"
    };
}

macro_rules! account_columns {
    () => {
        "id, version, program_id, customer_id, home_branch_id, state, issued, debt, pending, available, held, redeemed, \
         expired, reversed, earned, last_seq, seal, created_at_us, updated_at_us, doc"
    };
}

macro_rules! entry_columns {
    () => {
        "account_id, seq, id, kind, debit, credit, points, purchase_id, compensation_id, reason_code, branch_id, actor, \
         rule_version, reverses_id, occurred_at_us, recorded_at_us, seal"
    };
}

/// All programmes, oldest first: the settings.
pub(crate) const ALL_PROGRAMS: Sql =
    Sql::same(concat!("select ", program_columns!(), " from program order by created_at_us, id"));

/// Accounts of a customer that are not erased yet. $1 customer, $2 limit.
pub(crate) const TO_ERASE: Sql =
    Sql::same("select id from account where customer_id = $1 and state <> 'erased' order by id limit $2");

/// $1 id.
pub(crate) const PROGRAM: Sql = Sql::same(concat!("select ", program_columns!(), " from program where id = $1"));

/// $1 closed too, $2 last id shown, $3 limit. The code of the last one is looked up: it never changes.
pub(crate) const PROGRAMS: Sql = Sql::same(concat!(
    "select ",
    program_columns!(),
    " from program where ($1 = 1 or state = 'active') and (code > (select code from program where id = $2) or $2 is null) \
     order by code limit $3"
));

/// The account is seen at a branch of the scope, which is a list of ids: for PostgreSQL, then for SQLite.
macro_rules! seen_at {
    (postgres $scope:literal) => {
        concat!("exists (select 1 from account_branch where account_id = account.id and branch_id = any(", $scope, "))")
    };
    (sqlite $scope:literal) => {
        concat!(
            "exists (select 1 from account_branch where account_id = account.id and branch_id in \
             (select unhex(value) from json_each(",
            $scope,
            ")))"
        )
    };
}

macro_rules! account_of_customer {
    ($engine:ident) => {
        concat!(
            "select ",
            account_columns!(),
            " from account where customer_id = $1 and (program_id = $2 or $2 is null) and ($3 = 1 or ",
            seen_at!($engine "$4"),
            ") order by id limit 1"
        )
    };
}

/// $1 customer, $2 programme or null, $3 all, $4 scope. The oldest comes first: ids rise with time.
pub(crate) const ACCOUNT_OF_CUSTOMER: Sql = Sql::split(account_of_customer!(postgres), account_of_customer!(sqlite));

macro_rules! accounts {
    ($engine:ident) => {
        concat!(
            "select ",
            account_columns!(),
            " from account where (program_id = $1 or $1 is null) and (home_branch_id = $2 or $2 is null) \
             and (id < $5 or $5 is null) and ($3 = 1 or ",
            seen_at!($engine "$4"),
            ") order by id desc limit $6"
        )
    };
}

/// $1 programme or null, $2 home branch or null, $3 all, $4 scope, $5 last id shown, $6 limit. Ids rise with time.
pub(crate) const ACCOUNTS: Sql = Sql::split(accounts!(postgres), accounts!(sqlite));

/// $1 account, $2 last number shown, $3 limit.
pub(crate) const ENTRIES: Sql = Sql::same(concat!(
    "select ",
    entry_columns!(),
    " from ledger_entry where account_id = $1 and (seq < $2 or $2 is null) order by seq desc limit $3"
));

macro_rules! accounts_to_audit {
    ($engine:ident) => {
        concat!(
            "select ",
            account_columns!(),
            " from account where program_id = $1 and (id > $4 or $4 is null) and ($2 = 1 or ",
            seen_at!($engine "$3"),
            ") order by id limit $5"
        )
    };
}

/// $1 programme, $2 all, $3 scope, $4 last id read, $5 limit.
pub(crate) const ACCOUNTS_TO_AUDIT: Sql = Sql::split(accounts_to_audit!(postgres), accounts_to_audit!(sqlite));

/// $1 accounts, $2 and $3 account and number of the last entry read, $4 limit.
pub(crate) const ENTRIES_TO_AUDIT: Sql = Sql::split(
    concat!(
        "select ",
        entry_columns!(),
        " from ledger_entry where account_id = any($1) and ((account_id, seq) > ($2, $3) or $2 is null) \
         order by account_id, seq limit $4"
    ),
    concat!(
        "select ",
        entry_columns!(),
        " from ledger_entry where account_id in (select unhex(value) from json_each($1)) \
         and ((account_id, seq) > ($2, $3) or $2 is null) order by account_id, seq limit $4"
    ),
);

macro_rules! statistics {
    ($engine:ident) => {
        concat!(
            "select count(*) as account_count, cast(coalesce(sum(last_seq), 0) as bigint) as entry_count, \
             cast(coalesce(sum(issued), 0) as bigint) as issued, cast(coalesce(sum(debt), 0) as bigint) as debt, \
             cast(coalesce(sum(pending), 0) as bigint) as pending, \
             cast(coalesce(sum(available), 0) as bigint) as available, \
             cast(coalesce(sum(held), 0) as bigint) as held, cast(coalesce(sum(redeemed), 0) as bigint) as redeemed, \
             cast(coalesce(sum(expired), 0) as bigint) as expired, \
             cast(coalesce(sum(reversed), 0) as bigint) as reversed \
             from account where program_id = $1 and ($2 = 1 or ",
            seen_at!($engine "$3"),
            ")"
        )
    };
}

/// $1 programme, $2 all, $3 scope.
pub(crate) const STATISTICS: Sql = Sql::split(statistics!(postgres), statistics!(sqlite));

/// Every statement above, for the test that prepares them on both engines.
pub const ALL: &[Sql] = &[
    TO_ERASE,
    ALL_PROGRAMS,
    PROGRAM,
    PROGRAMS,
    ACCOUNT_OF_CUSTOMER,
    ACCOUNTS,
    ENTRIES,
    ACCOUNTS_TO_AUDIT,
    ENTRIES_TO_AUDIT,
    STATISTICS,
];
