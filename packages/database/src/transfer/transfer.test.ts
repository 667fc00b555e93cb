import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrationsFolder, readMigrations } from '../migrations/read-migrations.ts';
import { type Database, openDatabase } from '../open-database.ts';
import { fillTables } from '../testing/fill-tables.ts';
import { makeSeededDirectories, type SeededDirectories } from '../testing/make-seeded-directories.ts';
import { openTestDatabase } from '../testing/open-test-database.ts';
import { exportDatabase } from './export-database.ts';
import { importDatabase } from './import-database.ts';

let directories: SeededDirectories;
let room: string;
const open: Database<unknown>[] = [];

beforeAll(async () => {
  directories = await makeSeededDirectories();
});
afterAll(() => directories.dispose());
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'stillpoint-transfer-'));
});
afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
  rmSync(room, { recursive: true });
});

async function embedded(): Promise<Database<unknown>> {
  const database = await openDatabase({ dataDirectory: directories.next() });
  open.push(database);
  return database;
}

/** A database on a server that is not ours to start or stop, reached by its address. */
async function external(isMigrated: boolean): Promise<Database<unknown>> {
  const place = await openTestDatabase({ isMigrated });
  const { host, database: name, user } = place.connectionOptions as Record<string, string>;
  const database = await openDatabase({
    url: `postgresql:///${name}?host=${encodeURIComponent(host ?? '')}&user=${user}`,
  });
  open.push(database, place);
  return database;
}

/** Every row of every table but the two that tell of the database itself, as text. */
async function everything(pool: Pool): Promise<Record<string, string[]>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname not in ('schema_migration', 'database_import') order by 1`,
  );
  const content: Record<string, string[]> = {};
  for (const { name } of tables) {
    const { rows } = await pool.query<{ line: string }>(`select t::text as line from ${name} t order by 1`);
    content[name] = rows.map(({ line }) => line);
  }
  return content;
}

const nextNumber = async ({ pool }: Database<unknown>): Promise<number> => {
  const { rows } = await pool.query(
    `insert into run (id, plan_name, spec, status, queued_at)
     values (gen_random_uuid(), 'later', '{}', 'QUEUED', now()) returning number`,
  );
  return rows[0].number;
};

describe('an export', () => {
  it('goes from embedded to external and back, equal row by row, and numbers go on', async () => {
    const first = await embedded();
    await first.migrate();
    await fillTables(first.pool, 500);
    await first.pool.query(`delete from run where number = (select max(number) from run)`);
    const before = await everything(first.pool);
    const exported = await exportDatabase(first.pool, room);

    const second = await external(false);
    const imported = await importDatabase(second.pool, exported.path);
    expect(imported).toEqual({ ...exported, path: imported.path });
    expect(await everything(second.pool)).toEqual(before);

    const again = await exportDatabase(second.pool, join(room, 'again.gz'));
    const third = await embedded();
    await importDatabase(third.pool, again.path);
    expect(await everything(third.pool)).toEqual(before);
    expect(again.tables.filter(({ name }) => name !== 'database_import')).toEqual(
      exported.tables.filter(({ name }) => name !== 'database_import'),
    );

    // The third run was deleted before the export; its number is not given out again.
    expect(await nextNumber(third)).toBe(4);
    expect((await third.migrate()).applied).toEqual([]);
    const { rows } = await third.pool.query(
      'select exported_at, is_all_work_queued from database_import order by number',
    );
    expect(rows).toEqual([
      { exported_at: new Date(exported.exportedAt), is_all_work_queued: false },
      { exported_at: new Date(again.exportedAt), is_all_work_queued: false },
    ]);
  });

  it('is one file for its owner alone, readable by any tool that knows gzip', async () => {
    const source = await external(true);
    await fillTables(source.pool, 2);
    const { path, sizeBytes, rows } = await exportDatabase(source.pool, room);
    expect(readdirSync(room)).toEqual([
      expect.stringMatching(/^stillpoint-database-\d{8}T\d{6}Z\.export\.gz$/),
    ]);
    expect(statSync(path)).toMatchObject({ mode: 0o100600, size: sizeBytes });
    const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      format: 'stillpoint-database-export',
      formatNumber: 1,
    });
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ rows });
    expect(lines).toContain('\\.');
  });

  it('shows one moment, whatever is written meanwhile', async () => {
    const source = await external(true);
    await fillTables(source.pool, 20_000);
    let late: Promise<unknown> | undefined;
    const { tables } = await exportDatabase(source.pool, room, {
      onProgress: ({ table }) => {
        if (table === 'device') late ??= source.pool.query('delete from journal_fact');
      },
    });
    await late;
    expect(late).toBeDefined();
    expect(tables.find(({ name }) => name === 'journal_fact')).toMatchObject({ rows: 2 });
  });

  it('of a database that the release before has left goes into one of this release', async () => {
    const older = await external(false);
    const [first] = await readMigrations(migrationsFolder);
    if (first === undefined) throw new Error('there is no migration');
    // As it was before it was kept with which programs a migration works.
    await older.pool.query(
      `create table schema_migration (number integer primary key, name text not null, sha256 text not null,
                                      applied_at timestamptz not null default now())`,
    );
    await older.pool.query(first.sql);
    await older.pool.query('insert into schema_migration (number, name, sha256) values ($1, $2, $3)', [
      first.number,
      first.name,
      first.sha256,
    ]);
    await fillTables(older.pool, 10);
    const exported = await exportDatabase(older.pool, room);
    expect(exported.migration).toBe(first.name);

    const next = await external(false);
    const imported = await importDatabase(next.pool, exported.path);
    expect(imported).toEqual({ ...exported, path: imported.path });
    await next.migrate();
    const { rows } = await next.pool.query('select count(*)::integer as tasks from task');
    expect(rows).toEqual([{ tasks: 10 }]);
  });

  it('of a database that holds nothing of ours is refused', async () => {
    const source = await external(false);
    await expect(exportDatabase(source.pool, room)).rejects.toMatchObject({
      fault: { code: 'DATABASE_HOLDS_NOTHING', effect: 'none' },
    });
    expect(readdirSync(room)).toEqual([]);
  });

  it('replaces no file and needs a folder', async () => {
    const source = await external(true);
    const path = join(room, 'mine.gz');
    await exportDatabase(source.pool, path);
    const before = readFileSync(path);
    await expect(exportDatabase(source.pool, path)).rejects.toMatchObject({
      fault: { code: 'DATABASE_EXPORT_EXISTS', detail: `${path} is there already.` },
    });
    expect(readFileSync(path)).toEqual(before);
    const nowhere = join(room, 'no', 'folder.gz');
    await expect(exportDatabase(source.pool, nowhere)).rejects.toMatchObject({
      fault: { code: 'DATABASE_EXPORT_NOT_WRITTEN', detail: `ENOENT at ${nowhere}.` },
    });
  });

  it('whose connection is lost, or that is broken off, leaves no file', async () => {
    const source = await external(true);
    await fillTables(source.pool, 50_000);
    let lost: Promise<unknown> | undefined;
    const losing = exportDatabase(source.pool, room, {
      onProgress: ({ table }) => {
        if (table === 'task')
          lost ??= source.pool.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and query like 'copy %' and pid <> pg_backend_pid()`,
          );
      },
    });
    await expect(losing).rejects.toMatchObject({
      fault: { code: 'DATABASE_EXPORT_FAILED', retryable: true },
    });
    await lost;
    const stop = new AbortController();
    const broken = exportDatabase(source.pool, room, {
      signal: stop.signal,
      onProgress: ({ table }) => {
        if (table === 'task') stop.abort();
      },
    });
    await expect(broken).rejects.toMatchObject({ fault: { detail: 'It was broken off.' } });
    expect(readdirSync(room)).toEqual([]);
  });
});

it('200,000 tasks pass through in bounded memory', { timeout: 180_000 }, async () => {
  const source = await external(true);
  await fillTables(source.pool, 200_000);
  const target = await external(false);
  const restingBytes = process.memoryUsage().rss;
  let highestBytes = 0;
  const onProgress = (): void => {
    highestBytes = Math.max(highestBytes, process.memoryUsage().rss);
  };
  const startedAt = performance.now();
  const { path, rows, sizeBytes } = await exportDatabase(source.pool, room, { onProgress });
  const exportedAt = performance.now();
  await importDatabase(target.pool, path, { onProgress });
  const importedAt = performance.now();
  const perSecond = (ms: number): number => Math.round((rows / ms) * 1000);
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  const contentMb = megabytes(gunzipSync(readFileSync(path)).length);
  console.log(
    `${rows} rows, ${contentMb} MB in ${megabytes(sizeBytes)} MB; export ${perSecond(exportedAt - startedAt)} rows/s, ` +
      `import ${perSecond(importedAt - exportedAt)} rows/s; ${megabytes(highestBytes - restingBytes)} MB of memory more`,
  );
  expect(rows).toBeGreaterThan(200_000);
  expect(contentMb).toBeGreaterThan(80);
  expect(megabytes(highestBytes - restingBytes)).toBeLessThan(contentMb / 2);
});
