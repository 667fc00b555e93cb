-- works with programs that know migration >= 2

-- The queue is not part of an export. The first server on an imported database rebuilds it from the journal: first what
-- had begun, in a transaction of its own so that it comes first, then what waits.
create table database_import (
  number bigint generated always as identity primary key,
  exported_at timestamptz not null,
  imported_at timestamptz not null default now(),
  is_begun_work_queued boolean not null default false,
  is_all_work_queued boolean not null default false
);
