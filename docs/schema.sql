-- The tables of Stillpoint. Written by tools/generate-schema.ts; change the migrations, not this file.

create table schema_migration (
  number integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migration_pkey PRIMARY KEY (number)
);
