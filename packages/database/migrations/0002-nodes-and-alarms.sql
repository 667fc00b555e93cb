-- works with programs that know migration >= 1

-- The server processes that share this database. Instants are those of the database's clock: nodes judge each other by it.

create table node (
  -- Kept in the data directory, so the same after a restart.
  id uuid primary key,
  -- Another one at every start: of two processes with one id, the one that started first finds out with its next beat, and
  -- ends.
  incarnation uuid not null,
  name text not null unique,
  version text not null,
  pid integer not null,
  -- Null until it serves.
  url text,
  -- Tasks it works on at once, as of its last beat.
  devices_parallel integer not null,
  is_draining boolean not null default false,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null,
  -- Null until it has stopped of its own accord.
  stopped_at timestamptz
);

create index journal_subject_node on journal_subject (node_id) where not is_ended;

-- What is wrong and wants a human: opened and closed by what is true.

create table alarm (
  id uuid primary key,
  code text not null,
  subject_kind text not null,
  subject_name text not null,
  sentence text not null,
  last_problem text,
  opened_at timestamptz not null,
  last_seen_at timestamptz not null,
  -- The node that saw it last, by its name.
  seen_by text not null,
  -- Of a run or task that is parked: its last fact by then. A later one means that it goes on.
  subject_seq integer,
  closed_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  acknowledged_note text
);

create unique index alarm_open on alarm (code, subject_kind, subject_name) where closed_at is null;
create index alarm_opened on alarm (opened_at desc, id desc);

-- How the reconciler works on what a task left quiesced: paced for all nodes together.

alter table device_guard
  -- Of the claim under which the reconciler holds it: another one each time, also for the same node.
  add column claim_id uuid,
  -- When its task gave up undoing; from here on the reconciler does.
  add column left_at timestamptz,
  -- When the reconciler was about to send an unquiesce whose outcome is not known yet.
  add column sending_at timestamptz,
  -- When a reply was lost, or will have come or be lost: what was sent may still land for a while after that.
  add column doubted_at timestamptz,
  add column attempts integer not null default 0,
  add column next_attempt_at timestamptz;

update device_guard
set left_at = task.ended_at
from task
where task.id = device_guard.task_id and task.ended_at is not null and device_guard.released_at is null;
