-- What comes with words: attachments by reference, cues, emotion, duration.
alter table interaction add column doc text;

-- Texts of ours. Read by id alone, which is made from code, language and variant.
create table template (
    id      blob    primary key,
    version integer not null,
    doc     text    not null
) strict;
