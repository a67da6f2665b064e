-- Programmes: the rules by which points come and go. Codes sort by their bytes, as on SQLite.
create table program (
    id            uuid   primary key,
    version       bigint not null,
    code          text   collate "C" not null,
    state         text   not null,
    rule_version  bigint not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    doc           jsonb  not null
);
create unique index program_code on program (code);

-- Accounts with the balance of every ledger account, each on its normal side.
create table account (
    id             uuid   primary key,
    version        bigint not null,
    program_id     uuid   not null,
    customer_id    uuid   not null,
    home_branch_id uuid,
    state          text   not null,
    issued         bigint not null,
    debt           bigint not null,
    pending        bigint not null,
    available      bigint not null,
    held           bigint not null,
    redeemed       bigint not null,
    expired        bigint not null,
    reversed       bigint not null,
    earned         bigint not null,
    last_seq       bigint not null,
    seal           uuid   not null,
    created_at_us  bigint not null,
    updated_at_us  bigint not null,
    doc            jsonb  not null
);
create index account_customer on account (customer_id);

-- At which branches an account is seen: at home, and where points came or went.
create table account_branch (
    account_id uuid not null,
    branch_id  uuid not null,
    primary key (account_id, branch_id)
);

-- The ledger. Rows are added and never changed; each carries the seal of the one before in its own.
create table ledger_entry (
    account_id      uuid   not null,
    seq             bigint not null,
    id              uuid   not null,
    kind            text   not null,
    debit           text   not null,
    credit          text   not null,
    points          bigint not null,
    purchase_id     uuid,
    compensation_id uuid,
    reason_code     text   not null,
    branch_id       uuid,
    actor           text   not null,
    rule_version    bigint not null,
    reverses_id     uuid,
    occurred_at_us  bigint not null,
    recorded_at_us  bigint not null,
    seal            uuid   not null,
    primary key (account_id, seq)
);

-- What a receipt earned in a programme, and what of it came back. The id follows from programme and receipt.
create table earning (
    id         uuid   primary key,
    version    bigint not null,
    program_id uuid   not null,
    doc        jsonb  not null
);

-- Points given for a complaint.
create table complaint_goodwill (
    id          uuid   primary key,
    version     bigint not null,
    branch_id   uuid,
    customer_id uuid,
    granted     bigint not null
);

-- Branches, as their owner told of them.
create table branch (
    id        uuid   primary key,
    version   bigint not null,
    time_zone text   not null,
    closed    bigint not null
);
