-- Who works where, and who last satisfied whom. Read by id alone.
create table roster (
    id      blob    primary key,
    version integer not null,
    doc     text    not null
) strict;

create table affinity (
    id      blob    primary key,
    version integer not null,
    doc     text    not null
) strict;
