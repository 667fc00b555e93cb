import { afterEach, expect, test } from 'vitest';
import { dumpSchema } from './dump-schema.ts';
import type { Database } from './open-database.ts';
import { openTestDatabase } from './testing/open-test-database.ts';

const open: Database<unknown>[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((database) => database.close()));
});

async function emptyDatabase() {
  const database = await openTestDatabase({ isMigrated: false });
  open.push(database);
  return database;
}

const everything = `
  create type mood as enum ('calm', 'angry');
  create sequence ticket as bigint start 7 increment 2;
  create function touch() returns trigger language plpgsql as $$ begin new.seen_at := now(); return new; end $$;
  create table "zebra crossing" (
    device_id bigint not null references zoo_device (id) on delete cascade,
    number int not null default nextval('ticket'),
    primary key (device_id, number)
  );
`;
const device = `
  create table zoo_device (
    id bigint generated always as identity primary key,
    name text collate "C" not null unique check (name <> ''),
    mood text not null default 'calm',
    tags text[] not null default '{}',
    share numeric(5, 2),
    seen_at timestamptz not null default now(),
    lower_name text generated always as (lower(name)) stored
  );
  create index zoo_device_seen on zoo_device (seen_at desc) where mood <> 'calm';
  create view calm_device as select id, name from zoo_device where mood = 'calm';
  comment on column zoo_device.share is 'per cent, it''s rounded';
`;
const trigger =
  'create trigger device_touched before update on zoo_device for each row execute function touch();';

test('a dump shows columns, defaults, constraints, indexes and foreign keys', async () => {
  const { pool } = await emptyDatabase();
  await pool.query(device + everything + trigger);
  const dump = await dumpSchema(pool);
  expect(dump).toContain('  id bigint generated always as identity not null,\n');
  expect(dump).toContain('  name text collate "C" not null,\n');
  expect(dump).toContain("  tags text[] default '{}'::text[] not null,\n");
  expect(dump).toContain("  constraint zoo_device_name_check CHECK (name <> ''::text)\n");
  expect(dump).toContain('alter table "zebra crossing"\n  add constraint');
  expect(dump).toContain('CREATE INDEX zoo_device_seen ON zoo_device USING btree (seen_at DESC)');
  expect(dump).not.toContain('public.zoo');
});

test('a dump run on an empty database gives the same dump', async () => {
  const first = await emptyDatabase();
  await first.pool.query(device + everything + trigger);
  const dump = await dumpSchema(first.pool);
  const second = await emptyDatabase();
  await second.pool.query(dump);
  expect(await dumpSchema(second.pool)).toBe(dump);
});

test('the order in which tables were made does not show', async () => {
  const first = await emptyDatabase();
  await first.pool.query(
    'create table a (x int); create table b (y text, x int unique); create index b_y on b (y);',
  );
  const second = await emptyDatabase();
  await second.pool.query(
    'create table b (y text, x int unique); create index b_y on b (y); create table a (x int);',
  );
  expect(await dumpSchema(second.pool)).toBe(await dumpSchema(first.pool));
});

test('an empty schema is an empty dump', async () => {
  const { pool } = await emptyDatabase();
  expect(await dumpSchema(pool)).toBe('');
});
