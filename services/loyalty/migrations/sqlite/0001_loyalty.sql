-- Programmes: the rules by which points come and go. Codes sort by their bytes, as on PostgreSQL.
create table program (
    id            blob    primary key,
    version       integer not null,
    code          text    not null,
    state         text    not null,
    rule_version  integer not null,
    created_at_us integer not null,
    updated_at_us integer not null,
    doc           text    not null
) strict;
create unique index program_code on program (code);

-- Accounts with the balance of every ledger account, each on its normal side.
create table account (
    id             blob    primary key,
    version        integer not null,
    program_id     blob    not null,
    customer_id    blob    not null,
    home_branch_id blob,
    state          text    not null,
    issued         integer not null,
    debt           integer not null,
    pending        integer not null,
    available      integer not null,
    held           integer not null,
    redeemed       integer not null,
    expired        integer not null,
    reversed       integer not null,
    earned         integer not null,
    last_seq       integer not null,
    seal           blob    not null,
    created_at_us  integer not null,
    updated_at_us  integer not null,
    doc            text    not null
) strict;
create index account_customer on account (customer_id);

-- At which branches an account is seen: at home, and where points came or went.
create table account_branch (
    account_id blob not null,
    branch_id  blob not null,
    primary key (account_id, branch_id)
) strict;

-- The ledger. Rows are added and never changed; each carries the seal of the one before in its own.
create table ledger_entry (
    account_id      blob    not null,
    seq             integer not null,
    id              blob    not null,
    kind            text    not null,
    debit           text    not null,
    credit          text    not null,
    points          integer not null,
    purchase_id     blob,
    compensation_id blob,
    reason_code     text    not null,
    branch_id       blob,
    actor           text    not null,
    rule_version    integer not null,
    reverses_id     blob,
    occurred_at_us  integer not null,
    recorded_at_us  integer not null,
    seal            blob    not null,
    primary key (account_id, seq)
) strict;

-- What a receipt earned in a programme, and what of it came back. The id follows from programme and receipt.
create table earning (
    id         blob    primary key,
    version    integer not null,
    program_id blob    not null,
    doc        text    not null
) strict;

-- Points given for a complaint.
create table complaint_goodwill (
    id          blob    primary key,
    version     integer not null,
    branch_id   blob,
    customer_id blob,
    granted     integer not null
) strict;

-- Branches, as their owner told of them.
create table branch (
    id        blob    primary key,
    version   integer not null,
    time_zone text    not null,
    closed    integer not null
) strict;
