-- works with programs that know migration >= 3

-- A task that failed may be tried again: which attempt it is in, or waits for, and when that begins. A program that does not
-- know of attempts ends such a task as failed, for the reason of the attempt before. Neither name is
-- one of a table that such a program joins with this one.

alter table task add column attempt integer not null default 1;
alter table task add column tried_again_at timestamptz;
