-- Customers who asked to be forgotten, and how far it is.
create table forgetting (
    customer_id     blob   primary key,
    version         integer not null,
    erasure_id      blob   not null,
    reason_code     text   not null,
    requested_at_us integer not null,
    completed_at_us integer
) strict;
