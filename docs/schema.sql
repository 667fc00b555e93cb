-- The tables of Stillpoint. Written by tools/generate-schema.ts; change the migrations, not this file.

create table alarm (
  id uuid not null,
  code text not null,
  subject_kind text not null,
  subject_name text not null,
  sentence text not null,
  last_problem text,
  opened_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  seen_by text not null,
  subject_seq integer,
  closed_at timestamp with time zone,
  acknowledged_at timestamp with time zone,
  acknowledged_by text,
  acknowledged_note text,
  constraint alarm_pkey PRIMARY KEY (id)
);

create table backup (
  id uuid not null,
  task_id uuid not null,
  is_persisted boolean,
  action text not null,
  device text not null,
  domain text,
  state text not null,
  taken_at timestamp with time zone not null,
  plan_name text,
  run_id uuid,
  serial_number text,
  model text,
  firmware_version text,
  firmware_build text,
  constraint backup_pkey PRIMARY KEY (id),
  constraint backup_task_id_is_persisted_key UNIQUE NULLS NOT DISTINCT (task_id, is_persisted)
);

create table backup_file (
  backup_id uuid not null,
  path text not null,
  size_bytes bigint not null,
  sha256 text not null,
  constraint backup_file_pkey PRIMARY KEY (backup_id, path),
  constraint backup_file_path_key UNIQUE (path)
);

create table database_import (
  number bigint generated always as identity not null,
  exported_at timestamp with time zone not null,
  imported_at timestamp with time zone default now() not null,
  is_begun_work_queued boolean default false not null,
  is_all_work_queued boolean default false not null,
  constraint database_import_pkey PRIMARY KEY (number)
);

create table device (
  id uuid not null,
  name text not null,
  host text not null,
  soma_port integer not null,
  rest_port integer,
  username text not null,
  sealed_password bytea not null,
  tls jsonb not null,
  tags jsonb not null,
  is_enabled boolean not null,
  changed_at timestamp with time zone default now() not null,
  constraint device_pkey PRIMARY KEY (id),
  constraint device_name_key UNIQUE (name)
);

create table device_guard (
  id bigint generated always as identity not null,
  device text not null,
  task_id uuid not null,
  scope jsonb not null,
  intended_at timestamp with time zone not null,
  quiesced_at timestamp with time zone,
  released_at timestamp with time zone,
  reconciled_by uuid,
  reconciled_until timestamp with time zone,
  last_problem text,
  claim_id uuid,
  left_at timestamp with time zone,
  sending_at timestamp with time zone,
  doubted_at timestamp with time zone,
  attempts integer default 0 not null,
  next_attempt_at timestamp with time zone,
  constraint device_guard_pkey PRIMARY KEY (id)
);

create table heartbeat (
  number integer default 1 not null,
  sent_at timestamp with time zone not null,
  failing_since timestamp with time zone,
  last_problem text,
  constraint heartbeat_pkey PRIMARY KEY (number),
  constraint heartbeat_number_check CHECK (number = 1)
);

create table journal_fact (
  subject_id uuid not null,
  seq integer not null,
  body jsonb not null,
  constraint journal_fact_pkey PRIMARY KEY (subject_id, seq)
);

create table journal_subject (
  id uuid not null,
  program text not null,
  spec jsonb not null,
  last_seq integer default 0 not null,
  token bigint default 0 not null,
  node_id uuid,
  is_ended boolean default false not null,
  constraint journal_subject_pkey PRIMARY KEY (id)
);

create table known_store (
  path text not null,
  store_id uuid not null,
  constraint known_store_pkey PRIMARY KEY (path)
);

create table left_out_fire (
  id bigint generated always as identity not null,
  plan_name text not null,
  reason text not null,
  fires integer not null,
  first_at timestamp with time zone not null,
  last_at timestamp with time zone not null,
  noticed_at timestamp with time zone not null,
  run_id uuid,
  constraint left_out_fire_pkey PRIMARY KEY (id)
);

create table node (
  id uuid not null,
  incarnation uuid not null,
  name text not null,
  version text not null,
  pid integer not null,
  url text,
  devices_parallel integer not null,
  is_draining boolean default false not null,
  started_at timestamp with time zone not null,
  heartbeat_at timestamp with time zone not null,
  stopped_at timestamp with time zone,
  constraint node_pkey PRIMARY KEY (id),
  constraint node_name_key UNIQUE (name)
);

create table notice (
  id uuid not null,
  number bigint generated always as identity not null,
  channel text not null,
  event text not null,
  subject_id uuid not null,
  content jsonb not null,
  state text default 'WAITING'::text not null,
  attempts integer default 0 not null,
  last_problem text,
  created_at timestamp with time zone not null,
  waiting_since timestamp with time zone not null,
  next_try_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  claim_id uuid,
  claimed_until timestamp with time zone,
  constraint notice_pkey PRIMARY KEY (id),
  constraint notice_number_key UNIQUE (number),
  constraint notice_subject_id_event_channel_key UNIQUE (subject_id, event, channel)
);

create table parameter (
  name text not null,
  value jsonb not null,
  changed_at timestamp with time zone default now() not null,
  constraint parameter_pkey PRIMARY KEY (name)
);

create table parameter_change (
  id bigint generated always as identity not null,
  name text not null,
  changed_at timestamp with time zone default clock_timestamp() not null,
  changed_by text not null,
  is_secret boolean not null,
  value_before jsonb,
  value_after jsonb,
  constraint parameter_change_pkey PRIMARY KEY (id)
);

create table plan (
  id uuid not null,
  name text not null,
  definition jsonb not null,
  next_fire_at timestamp with time zone,
  is_planned boolean default false not null,
  changed_at timestamp with time zone default now() not null,
  constraint plan_pkey PRIMARY KEY (id),
  constraint plan_name_key UNIQUE (name)
);

create table run (
  id uuid not null,
  number bigint generated always as identity not null,
  plan_name text not null,
  spec jsonb not null,
  status text not null,
  reason jsonb,
  warnings jsonb default '[]'::jsonb not null,
  is_halted boolean default false not null,
  queued_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint run_pkey PRIMARY KEY (id),
  constraint run_number_key UNIQUE (number)
);

create table schema_migration (
  number integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone default now() not null,
  works_from integer,
  applied_by text,
  constraint schema_migration_pkey PRIMARY KEY (number)
);

create table script_output (
  subject_id uuid not null,
  phase text not null,
  script text not null,
  exit_code integer,
  output text not null,
  ended_at timestamp with time zone not null,
  constraint script_output_pkey PRIMARY KEY (subject_id, phase)
);

create table sealed_parameter (
  name text not null,
  sealed_value bytea not null,
  changed_at timestamp with time zone default now() not null,
  constraint sealed_parameter_pkey PRIMARY KEY (name)
);

create table task (
  id uuid not null,
  number bigint generated always as identity not null,
  run_id uuid not null,
  activity_index integer not null,
  action text not null,
  device text not null,
  domain text,
  spec jsonb not null,
  status text not null,
  reason jsonb,
  warnings jsonb default '[]'::jsonb not null,
  queued_at timestamp with time zone not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  attempt integer default 1 not null,
  tried_again_at timestamp with time zone,
  constraint task_pkey PRIMARY KEY (id),
  constraint task_number_key UNIQUE (number)
);

CREATE UNIQUE INDEX alarm_open ON alarm USING btree (code, subject_kind, subject_name) WHERE closed_at IS NULL;

CREATE INDEX alarm_opened ON alarm USING btree (opened_at DESC, id DESC);

CREATE INDEX backup_place ON backup USING btree (device, domain, taken_at DESC);

CREATE INDEX backup_taken ON backup USING btree (taken_at DESC, id);

CREATE UNIQUE INDEX device_guard_open ON device_guard USING btree (device) WHERE released_at IS NULL;

CREATE INDEX device_guard_task ON device_guard USING btree (task_id);

CREATE INDEX journal_subject_node ON journal_subject USING btree (node_id) WHERE NOT is_ended;

CREATE INDEX journal_subject_open ON journal_subject USING btree (program) WHERE NOT is_ended;

CREATE INDEX left_out_fire_plan ON left_out_fire USING btree (plan_name, id DESC);

CREATE INDEX left_out_fire_run ON left_out_fire USING btree (run_id, plan_name, reason);

CREATE INDEX notice_delivered ON notice USING btree (channel, ended_at) WHERE state = 'DELIVERED'::text;

CREATE INDEX notice_due ON notice USING btree (channel, next_try_at) WHERE state = 'WAITING'::text;

CREATE INDEX notice_not_delivered ON notice USING btree (channel) WHERE state <> 'DELIVERED'::text;

CREATE INDEX parameter_change_name ON parameter_change USING btree (name, id DESC);

CREATE INDEX plan_due ON plan USING btree (next_fire_at);

CREATE INDEX run_ended ON run USING btree (ended_at);

CREATE INDEX run_plan ON run USING btree (plan_name, number DESC);

CREATE INDEX run_status ON run USING btree (status, number DESC);

CREATE INDEX task_run ON task USING btree (run_id, number);

CREATE INDEX task_run_status ON task USING btree (run_id, status);

alter table backup_file
  add constraint backup_file_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES backup(id) ON DELETE CASCADE;

alter table device_guard
  add constraint device_guard_task_id_fkey FOREIGN KEY (task_id) REFERENCES task(id);

alter table journal_fact
  add constraint journal_fact_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES journal_subject(id) ON DELETE CASCADE;

alter table task
  add constraint task_run_id_fkey FOREIGN KEY (run_id) REFERENCES run(id) ON DELETE CASCADE;
