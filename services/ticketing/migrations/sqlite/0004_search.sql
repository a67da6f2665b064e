-- What lists filter by.
alter table complaint add column severity text;
alter table complaint add column category text;
alter table complaint add column cause text;

-- The words by which complaints are found, with the place of the complaint in a list: a search walks them in the order of
-- the list. Written behind the log, by the indexer.
create table complaint_word (
    word         text not null,
    opened_at_us integer not null,
    complaint_id blob not null,
    seq          integer not null,
    primary key (word, opened_at_us, complaint_id)
) strict;

-- How far the indexer has read the log.
create table search_index (
    id      blob primary key,
    version integer not null,
    seq     integer not null
) strict;
