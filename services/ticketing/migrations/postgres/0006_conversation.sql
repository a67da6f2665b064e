-- What comes with words: attachments by reference, cues, emotion, duration.
alter table interaction add column doc jsonb;

-- Texts of ours. Read by id alone, which is made from code, language and variant.
create table template (
    id      uuid    primary key,
    version bigint  not null,
    doc     jsonb   not null
);
