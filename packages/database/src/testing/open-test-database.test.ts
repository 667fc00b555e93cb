import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { processIdentity } from '../embedded/process-identity.ts';
import { migrationsFolder, readMigrations } from '../migrations/read-migrations.ts';
import { openTestDatabase } from './open-test-database.ts';

const run = promisify(execFile);

test('each test has a migrated database of its own that is gone when it is closed', async () => {
  const [first, second] = await Promise.all([openTestDatabase(), openTestDatabase()]);
  await first.pool.query('create table only_here (id int)');
  await expect(second.pool.query('select from only_here')).rejects.toThrow('does not exist');
  const { rows } = await second.pool.query('select number from schema_migration');
  expect(rows).toHaveLength((await readMigrations(migrationsFolder)).length);
  const { database: name } = first.connectionOptions as { database: string };
  await first.close();
  const found = await second.pool.query('select from pg_database where datname = $1', [name]);
  expect(found.rowCount).toBe(0);
  await second.close();
});

test('a run that ends without closing leaves neither a server nor a folder', async () => {
  // Not run by Vitest, as far as it can see, it is its own run and gets a server of its own.
  const { VITEST: _, ...environment } = process.env;
  const program = `
    import { openTestDatabase } from ${JSON.stringify(join(import.meta.dirname, 'open-test-database.ts'))};
    const { pool, connectionOptions } = await openTestDatabase();
    const { rows } = await pool.query("select pg_read_file('postmaster.pid') as file");
    console.log(JSON.stringify({ pid: parseInt(rows[0].file), folder: connectionOptions.host }));
    process.kill(process.pid, 'SIGKILL');`;
  const failure = await run(process.execPath, ['--input-type=module', '-e', program], {
    env: environment,
  }).catch((error: { stdout: string }) => error);
  const { pid, folder } = JSON.parse(failure.stdout) as { pid: number; folder: string };
  await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false);
  await expect.poll(() => processIdentity(pid), { timeout: 20_000 }).toBeUndefined();
});
