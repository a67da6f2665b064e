-- Who works where, and who last satisfied whom. Read by id alone.
create table roster (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);

create table affinity (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);
