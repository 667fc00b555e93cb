-- What an operator defines.

create table parameter (
  name text primary key,
  value jsonb not null,
  changed_at timestamptz not null default now()
);

create table device (
  id uuid primary key,
  name text not null unique,
  host text not null,
  soma_port integer not null,
  rest_port integer,
  username text not null,
  -- AES-256-GCM: nonce, tag, ciphertext; the key is never in the database.
  sealed_password bytea not null,
  tls jsonb not null,
  tags jsonb not null,
  is_enabled boolean not null,
  changed_at timestamptz not null default now()
);

create table plan (
  id uuid primary key,
  name text not null unique,
  definition jsonb not null,
  -- When the plan fires next, null for never; worked out by the planner whenever the plan or the zone has changed.
  next_fire_at timestamptz,
  is_planned boolean not null default false,
  changed_at timestamptz not null default now()
);

create index plan_due on plan (next_fire_at);

-- The store that this installation set up, so that another one in its place is noticed.
create table known_store (
  path text primary key,
  store_id uuid not null
);

-- What happened.

create table run (
  id uuid primary key,
  number bigint generated always as identity unique,
  plan_name text not null,
  spec jsonb not null,
  status text not null,
  reason jsonb,
  warnings jsonb not null default '[]',
  -- A task failed under the error policy "halt": no further task of the run starts.
  is_halted boolean not null default false,
  queued_at timestamptz not null,
  ended_at timestamptz
);

create index run_plan on run (plan_name, number desc);
create index run_status on run (status, number desc);

create table task (
  id uuid primary key,
  -- Tasks start in this order.
  number bigint generated always as identity unique,
  run_id uuid not null references run (id) on delete cascade,
  activity_index integer not null,
  action text not null,
  device text not null,
  domain text,
  spec jsonb not null,
  status text not null,
  reason jsonb,
  warnings jsonb not null default '[]',
  queued_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz
);

create index task_run on task (run_id, number);
create index task_run_status on task (run_id, status);

create table script_output (
  subject_id uuid not null,
  phase text not null,
  script text not null,
  exit_code integer,
  output text not null,
  ended_at timestamptz not null,
  primary key (subject_id, phase)
);

-- The journal of facts: what is known of a run or a task is the fold of its facts.

create table journal_subject (
  id uuid primary key,
  program text not null,
  spec jsonb not null,
  last_seq integer not null default 0,
  -- Raised by everyone who goes on with the subject; who holds an older one writes no more.
  token bigint not null default 0,
  node_id uuid,
  is_ended boolean not null default false
);

create index journal_subject_open on journal_subject (program) where not is_ended;

create table journal_fact (
  subject_id uuid not null references journal_subject (id) on delete cascade,
  seq integer not null,
  body jsonb not null,
  primary key (subject_id, seq)
);

-- Who is about to quiesce what, or has; open until the appliance was seen running.

create table device_guard (
  id bigint generated always as identity primary key,
  device text not null,
  task_id uuid not null references task (id),
  scope jsonb not null,
  intended_at timestamptz not null,
  quiesced_at timestamptz,
  released_at timestamptz,
  -- The node that undoes it after its task has ended, and until when.
  reconciled_by uuid,
  reconciled_until timestamptz,
  last_problem text
);

create unique index device_guard_open on device_guard (device) where released_at is null;
create index device_guard_task on device_guard (task_id);

-- The catalogue: published and verified. It can be rebuilt from the manifests in the store.

create table backup (
  id uuid primary key,
  task_id uuid not null,
  -- Null for a secure backup.
  is_persisted boolean,
  action text not null,
  device text not null,
  domain text,
  state text not null,
  taken_at timestamptz not null,
  plan_name text,
  run_id uuid,
  serial_number text,
  model text,
  firmware_version text,
  firmware_build text,
  unique nulls not distinct (task_id, is_persisted)
);

create index backup_place on backup (device, domain, taken_at desc);
create index backup_taken on backup (taken_at desc, id);

create table backup_file (
  backup_id uuid not null references backup (id) on delete cascade,
  path text not null unique,
  size_bytes bigint not null,
  sha256 text not null,
  primary key (backup_id, path)
);
