-- works with programs that know migration >= 3

-- Parameters that nobody is shown again. AES-256-GCM: nonce, tag, ciphertext; the key is never in the database.

create table sealed_parameter (
  name text primary key,
  sealed_value bytea not null,
  changed_at timestamptz not null default now()
);

-- What is to be told to whom: written with what it tells of, in one transaction, and kept until it was delivered or given
-- up. Instants are those of the database's clock.

create table notice (
  id uuid primary key,
  number bigint generated always as identity unique,
  channel text not null,
  event text not null,
  -- The run or the alarm that it tells of.
  subject_id uuid not null,
  content jsonb not null,
  state text not null default 'WAITING',
  attempts integer not null default 0,
  last_problem text,
  created_at timestamptz not null,
  -- From here on it is counted for how long it has waited: later than when it was made once somebody had it tried again.
  waiting_since timestamptz not null,
  next_try_at timestamptz not null,
  ended_at timestamptz,
  -- Of the node that is delivering it now, and until when nobody else does.
  claim_id uuid,
  claimed_until timestamptz,
  -- Nobody is told of one thing twice.
  unique (subject_id, event, channel)
);

create index notice_due on notice (channel, next_try_at) where state = 'WAITING';
-- Asked for every two seconds, over a table that grows.
create index notice_not_delivered on notice (channel) where state != 'DELIVERED';
create index notice_delivered on notice (channel, ended_at) where state = 'DELIVERED';

-- When the heartbeat was last sent: one node does, at the pace of the parameter.

create table heartbeat (
  number integer primary key default 1 check (number = 1),
  sent_at timestamptz not null,
  failing_since timestamptz,
  last_problem text
);
