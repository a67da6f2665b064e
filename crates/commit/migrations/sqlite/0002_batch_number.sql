-- Counts the batches that were saved. Whoever finds the number where it left it has the only word on what is stored.
alter table log_head add column batch integer not null default 0;
