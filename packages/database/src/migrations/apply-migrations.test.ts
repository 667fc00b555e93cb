import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool } from '../create-pool.ts';
import type { Database } from '../open-database.ts';
import { programVersion } from '../program-version.ts';
import { openTestDatabase } from '../testing/open-test-database.ts';
import { applyMigrations } from './apply-migrations.ts';

let database: Database<unknown>;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-migrations-'));
  database = await openTestDatabase({ isMigrated: false });
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await database.close();
});

function write(name: string, sql: string) {
  writeFileSync(join(folder, name), sql);
}

async function countOf(table: string): Promise<number> {
  const { rows } = await database.pool.query(`select count(*) as n from ${table}`);
  return rows[0].n;
}

test('migrations are applied in order, once, with their hash', async () => {
  write('0001-device.sql', 'create table device (id int);');
  write('0002-device-name.sql', 'alter table device add name text;');
  const { pool } = database;
  expect(await applyMigrations(pool, folder)).toEqual({
    applied: ['0001-device', '0002-device-name'],
    version: 2,
  });
  expect(await applyMigrations(pool, folder)).toEqual({ applied: [], version: 2 });
  write('0003-plan.sql', 'create table plan (id int); create table run (id int);');
  expect(await applyMigrations(pool, folder)).toEqual({ applied: ['0003-plan'], version: 3 });
  const { rows } = await pool.query('select name, sha256 from schema_migration where number = 1');
  expect(rows).toEqual([{ name: '0001-device', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
});

test('nodes that start together apply each migration once', async () => {
  for (let number = 1; number <= 5; number += 1) {
    write(`000${number}-t.sql`, `create table t${number} (id int); insert into t${number} values (1);`);
  }
  const pools = Array.from({ length: 4 }, () => createPool(database.connectionOptions, () => undefined));
  try {
    const reports = await Promise.all(pools.map((pool) => applyMigrations(pool, folder)));
    expect(reports.flatMap((report) => report.applied).sort()).toHaveLength(5);
    expect(await countOf('t5')).toBe(1);
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});

test('an applied migration that was changed is refused before anything is applied', async () => {
  write('0001-device.sql', 'create table device (id int);');
  await applyMigrations(database.pool, folder);
  write('0001-device.sql', 'create table device (id bigint);');
  write('0002-plan.sql', 'create table plan (id int);');
  await expect(applyMigrations(database.pool, folder)).rejects.toMatchObject({
    fault: { code: 'MIGRATION_CHANGED', effect: 'none', retryable: false },
  });
  await expect(countOf('plan')).rejects.toThrow('does not exist');
});

test('a database that is newer than the program is refused with the version that is needed', async () => {
  write('0001-device.sql', 'create table device (id int);');
  write('0002-plan.sql', 'create table plan (id int);');
  await applyMigrations(database.pool, folder);
  rmSync(join(folder, '0002-plan.sql'));
  await expect(applyMigrations(database.pool, folder)).rejects.toMatchObject({
    fault: {
      code: 'DATABASE_NEWER_THAN_PROGRAM',
      detail:
        `The database is at migration 0002-plan (Stillpoint ${programVersion}) and works with programs that know ` +
        `migration 0002-plan (Stillpoint ${programVersion}); this one is Stillpoint ${programVersion} and knows 1.`,
    },
  });
});

test('a migration that fails leaves nothing of itself and names its line', async () => {
  write('0001-device.sql', 'create table device (id int);');
  write('0002-bad.sql', 'create table plan (id int);\ninsert into plan\nvalues (1, nonsense);');
  await expect(applyMigrations(database.pool, folder)).rejects.toMatchObject({
    fault: { code: 'MIGRATION_FAILED', detail: expect.stringContaining('0002-bad, line 3: ') },
  });
  await expect(countOf('plan')).rejects.toThrow('does not exist');
  expect(await countOf('schema_migration')).toBe(1);
});

test('a migration that ends its transaction is a bug of the release', async () => {
  write('0001-sneaky.sql', 'create table device (id int); commit;');
  await expect(applyMigrations(database.pool, folder)).rejects.toThrow('0001-sneaky');
});

test.each(['0002-device.sql', '1-device.sql', '0001_device.sql', '0001-Device.sql'])(
  'a migration named %s is a bug of the release',
  async (name) => {
    write(name, 'select 1');
    await expect(applyMigrations(database.pool, folder)).rejects.toThrow(name);
  },
);

test('a folder that is empty or absent holds no migrations', async () => {
  const nothing = { applied: [], version: 0 };
  expect(await applyMigrations(database.pool, folder)).toEqual(nothing);
  expect(await applyMigrations(database.pool, join(folder, 'absent'))).toEqual(nothing);
});
