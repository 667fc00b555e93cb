-- works with programs that know migration >= 5

-- Fires of plans that started no run of their own, so that whoever asks why a backup did not run finds an answer. Instants
-- are those of the node that noticed them.

create table left_out_fire (
  id bigint generated always as identity primary key,
  plan_name text not null,
  reason text not null,
  fires integer not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  noticed_at timestamptz not null,
  -- The run that was going, or that makes up for them; null for none. It may have left the history.
  run_id uuid
);

create index left_out_fire_plan on left_out_fire (plan_name, id desc);
create index left_out_fire_run on left_out_fire (run_id, plan_name, reason);

-- Who changed which parameter, from what to what; of a secret one neither value is kept.

create table parameter_change (
  id bigint generated always as identity primary key,
  name text not null,
  changed_at timestamptz not null default clock_timestamp(),
  changed_by text not null,
  is_secret boolean not null,
  value_before jsonb,
  value_after jsonb
);

create index parameter_change_name on parameter_change (name, id desc);

-- For what looks for runs that have been over for long.
create index run_ended on run (ended_at);
