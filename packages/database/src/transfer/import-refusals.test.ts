import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPool } from '../create-pool.ts';
import { applyMigrations } from '../migrations/apply-migrations.ts';
import { migrationsFolder } from '../migrations/read-migrations.ts';
import type { Database } from '../open-database.ts';
import { fillTables } from '../testing/fill-tables.ts';
import { alterExport, forgeExport } from '../testing/forge-export.ts';
import { openTestDatabase } from '../testing/open-test-database.ts';
import { exportDatabase } from './export-database.ts';
import { importDatabase } from './import-database.ts';

let room: string;
let good: string;
let target: Database<unknown>;

beforeAll(async () => {
  room = mkdtempSync(join(tmpdir(), 'stillpoint-refusals-'));
  const source = await openTestDatabase();
  try {
    await fillTables(source.pool, 300);
    ({ path: good } = await exportDatabase(source.pool, join(room, 'good.gz')));
  } finally {
    await source.close();
  }
});
afterAll(() => rmSync(room, { recursive: true }));
beforeEach(async () => {
  target = await openTestDatabase({ isMigrated: false });
});
afterEach(() => target.close());

async function countThings(): Promise<number> {
  const { rows } = await target.pool.query(
    `select count(*) as n from pg_class where relnamespace = 'public'::regnamespace`,
  );
  return rows[0].n;
}

/** Imports into an empty database, sees the refusal and that the database is as empty as before. */
async function expectRefusal(path: string, code: string, detail: string | RegExp): Promise<void> {
  await expect(importDatabase(target.pool, path)).rejects.toMatchObject({
    fault: {
      code,
      effect: 'none',
      detail: typeof detail === 'string' ? expect.stringContaining(detail) : expect.stringMatching(detail),
    },
  });
  expect(await countThings()).toBe(0);
}

const bad = (): string => join(room, `bad-${readdirSync(room).length}.gz`);
const isHead = (line: string): boolean => line.startsWith('{"format"');
const changeHead = (change: (head: Record<string, unknown>) => void) => (lines: string[]) =>
  lines.map((line) => {
    if (!isHead(line)) return line;
    const head = JSON.parse(line);
    change(head);
    return JSON.stringify(head);
  });

describe('a file that is no export', () => {
  it.each<[string, (path: string) => void, string]>([
    ['is absent', () => undefined, 'ENOENT at'],
    ['is a folder', (path) => mkdirSync(path), 'EISDIR at'],
    ['is empty', (path) => writeFileSync(path, ''), 'is not an export of a Stillpoint database.'],
    ['is text', (path) => writeFileSync(path, 'hello\n'), 'is not an export of a Stillpoint database.'],
    ['is something else', (path) => writeFileSync(path, gzipSync('{"a":1}\n')), 'is not an export'],
    [
      'never ends its line',
      (path) => writeFileSync(path, gzipSync('x'.repeat(3_000_000))),
      'is not an export',
    ],
  ])('because it %s is refused', async (_, make, detail) => {
    const path = bad();
    make(path);
    await expectRefusal(path, 'DATABASE_EXPORT_NOT_READABLE', detail);
  });
});

describe('an export that was cut', () => {
  it.each([0.2, 0.9, 0.9999])('after %f of its bytes is refused', async (share) => {
    const bytes = readFileSync(good);
    const path = bad();
    writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
    await expectRefusal(path, 'DATABASE_EXPORT_DAMAGED', `${path} ends before its last line: it was cut.`);
  });

  it('between two lines and packed again is refused wherever that was', async () => {
    let total = 0;
    alterExport(good, bad(), (lines) => {
      total = lines.length;
      return lines;
    });
    for (const kept of [1, 2, 40, total - 2, total - 1]) {
      const path = alterExport(good, bad(), (lines) => lines.slice(0, kept));
      await expectRefusal(path, 'DATABASE_EXPORT_DAMAGED', /cut|its last lines are missing/);
    }
  });
});

describe('an export that was changed', () => {
  it('in one bit of the file is refused', async () => {
    const bytes = readFileSync(good);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    const path = bad();
    writeFileSync(path, bytes);
    await expect(importDatabase(target.pool, path)).rejects.toMatchObject({
      fault: { code: 'DATABASE_EXPORT_DAMAGED' },
    });
    expect(await countThings()).toBe(0);
  });

  it.each<[string, (lines: string[]) => string[], string | RegExp]>([
    [
      'in a row',
      (lines) => lines.map((line) => line.replace('device-7\t', 'device-8\t')),
      'the table task has',
    ],
    [
      'by a row less',
      (lines) => lines.filter((line) => !line.includes('device-7\t')),
      /the table task has \d+ rows/,
    ],
    [
      'in its first line',
      changeHead((head) => (head.stillpointVersion = '9.9.9')),
      'does not have the SHA-256',
    ],
    ['by lines after its last', (lines) => [...lines, '{}'], 'it goes on after its last line'],
    ['by a line that says nothing', (lines) => lines.toSpliced(1, 0, '{}'), 'not one that an export has'],
    ['by a line that is not JSON', (lines) => lines.toSpliced(1, 0, 'hello'), 'a line of it is not JSON'],
    [
      'by a first line without migrations',
      changeHead((head) => delete head.migrations),
      'its first line lacks',
    ],
  ])('%s is refused', async (_, alter, detail) => {
    await expectRefusal(alterExport(good, bad(), alter), 'DATABASE_EXPORT_DAMAGED', detail);
  });

  it('by a table less is refused although every hash fits', async () => {
    const path = forgeExport(good, bad(), (lines) => {
      const from = lines.findIndex((line) => line.startsWith('{"table":"journal_fact"'));
      const to = lines.indexOf('\\.', from) + 2;
      return lines.toSpliced(from, to - from);
    });
    await expectRefusal(path, 'DATABASE_EXPORT_DAMAGED', 'its tables are not those of its migrations');
  });

  it('so that PostgreSQL refuses a row leaves the database empty', async () => {
    const path = forgeExport(good, bad(), (lines) => {
      const row = lines.findIndex((line) => line.includes('device-7\t'));
      return lines.toSpliced(row, 0, lines[row] ?? '');
    });
    await expectRefusal(
      path,
      'DATABASE_IMPORT_FAILED',
      'duplicate key value violates unique constraint "task_pkey"',
    );
  });

  it('so that it reads back otherwise leaves the database empty', async () => {
    const path = forgeExport(good, bad(), (lines) =>
      lines.map((line) => line.replace('{"n": 7,', '{ "n":7,')),
    );
    await expectRefusal(path, 'DATABASE_IMPORT_FAILED', 'The table task reads back as 300 rows');
  });
});

describe('an export of another version', () => {
  it('in a newer format is refused with the version that wrote it', async () => {
    const path = alterExport(
      good,
      bad(),
      changeHead((head) => {
        for (const name of Object.keys(head)) if (name !== 'format') delete head[name];
        head.formatNumber = 2;
        head.stillpointVersion = '7.0.0';
      }),
    );
    await expectRefusal(path, 'DATABASE_EXPORT_NEWER', 'written by Stillpoint 7.0.0 in format 2');
  });

  it('with more migrations is refused with the name of the newest', async () => {
    const path = forgeExport(
      good,
      bad(),
      changeHead((head) => {
        head.migrations = Array.from({ length: 99 }, (_, index) => ({
          number: index + 1,
          name: `${index + 1}-next`,
          sha256: 'a'.repeat(64),
        }));
      }),
    );
    await expectRefusal(path, 'DATABASE_EXPORT_NEWER', 'is at migration 99-next; this program knows');
  });

  it('with other migrations is refused with both hashes', async () => {
    const path = forgeExport(
      good,
      bad(),
      changeHead((head) => {
        (head.migrations as { sha256: string }[])[0] = {
          ...(head.migrations as [object])[0],
          sha256: 'a'.repeat(64),
        };
      }),
    );
    await expectRefusal(path, 'DATABASE_EXPORT_OTHER_MIGRATIONS', `with SHA-256 ${'a'.repeat(64)}`);
  });

  it('with fewer migrations is taken in, and the rest is applied', async () => {
    const older = join(room, 'older');
    cpSync(migrationsFolder, older, { recursive: true });
    const names = readdirSync(older).toSorted();
    for (const name of names.slice(2)) rmSync(join(older, name));
    const source = await openTestDatabase({ isMigrated: false });
    try {
      await applyMigrations(source.pool, older);
      await fillTables(source.pool, 10);
      const { path, migration, rows } = await exportDatabase(source.pool, bad());
      expect(migration).toBe(names[1]?.replace('.sql', ''));
      expect(await importDatabase(target.pool, path)).toMatchObject({ rows, migration });
      expect((await target.migrate()).applied).toEqual([]);
    } finally {
      await source.close();
    }
  });
});

describe('the database an import goes to', () => {
  it.each([
    ['a table of ours', 'create table plan (id int)', 'It holds public.plan.'],
    ['a queue', 'create schema pgboss; create table pgboss.job (id int)', 'It holds pgboss.job.'],
    ['a view', 'create view seen as select 1', 'It holds public.seen.'],
  ])('is not touched when it holds %s', async (_, sql, detail) => {
    await target.pool.query(sql);
    const before = await countThings();
    await expect(importDatabase(target.pool, good)).rejects.toMatchObject({
      fault: { code: 'DATABASE_NOT_EMPTY', effect: 'none', detail },
    });
    expect(await countThings()).toBe(before);
  });

  it('is not touched by a second import', async () => {
    const { rows } = await importDatabase(target.pool, good);
    expect(rows).toBeGreaterThan(300);
    await expect(importDatabase(target.pool, good)).rejects.toMatchObject({
      fault: { code: 'DATABASE_NOT_EMPTY', detail: expect.stringMatching(/public\.alarm.* and \d+ more\.$/) },
    });
    const found = await target.pool.query('select count(*) as n from task');
    expect(found.rows[0].n).toBe(300);
  });

  it('is empty after an import that was broken off', async () => {
    const stop = new AbortController();
    const broken = importDatabase(target.pool, good, {
      signal: stop.signal,
      onProgress: ({ step }) => {
        if (step === 'verify') stop.abort();
      },
    });
    await expect(broken).rejects.toMatchObject({
      fault: { code: 'DATABASE_IMPORT_FAILED', detail: 'It was broken off.' },
    });
    await expect.poll(countThings).toBe(0);
  });

  it('lets a server that starts meanwhile wait until all is in place', async () => {
    const others = createPool(target.connectionOptions, () => undefined);
    try {
      let started: Promise<unknown> | undefined;
      await importDatabase(target.pool, good, {
        onProgress: ({ step }) => {
          if (step === 'import') started ??= applyMigrations(others, migrationsFolder);
        },
      });
      expect(await started).toMatchObject({ applied: [] });
    } finally {
      await others.end();
    }
  });
});
