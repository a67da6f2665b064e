-- What lists filter by.
alter table complaint add column severity text;
alter table complaint add column category text;
alter table complaint add column cause text;

-- The words by which complaints are found, with the place of the complaint in a list: a search walks them in the order of
-- the list. Written behind the log, by the indexer.
create table complaint_word (
    word         text not null,
    opened_at_us bigint not null,
    complaint_id uuid not null,
    seq          bigint not null,
    primary key (word, opened_at_us, complaint_id)
);

-- How far the indexer has read the log.
create table search_index (
    id      uuid primary key,
    version bigint not null,
    seq     bigint not null
);
