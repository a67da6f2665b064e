-- Customers who asked to be forgotten, and how far it is.
create table forgetting (
    customer_id     uuid   primary key,
    version         bigint not null,
    erasure_id      uuid   not null,
    reason_code     text   not null,
    requested_at_us bigint not null,
    completed_at_us bigint
);
