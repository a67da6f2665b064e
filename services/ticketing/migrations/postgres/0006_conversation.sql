-- What comes with words, sealed as they are: attachments by reference, cues, emotion, duration.
alter table interaction add column extras bytea;

-- Texts of ours. Read by id alone, which is made from code, language and variant.
create table template (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);
