import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../open-database.ts';
import { openTestDatabase } from '../testing/open-test-database.ts';
import { applyMigrations, type MigrationReport } from './apply-migrations.ts';
import { migrationsFolder, readMigrations } from './read-migrations.ts';

/** Servers of this version and of one that is to come, each with its own folder and its own connections. */
type Version = 'present' | 'next';

let place: Database<unknown>;
let room: string;
let present: number;
const open: Database<unknown>[] = [];

beforeEach(async () => {
  place = await openTestDatabase({ isMigrated: false });
  room = mkdtempSync(join(tmpdir(), 'stillpoint-versions-'));
  for (const version of ['present', 'next'])
    cpSync(migrationsFolder, join(room, version), { recursive: true });
  present = readdirSync(join(room, 'present')).length;
});

afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
  await place.close();
  rmSync(room, { recursive: true });
});

const nextName = (): string => `${String(present + 1).padStart(4, '0')}-next`;

function letNextBring(sql: string, worksFrom?: number): void {
  const head = worksFrom === undefined ? '' : `-- works with programs that know migration >= ${worksFrom}\n`;
  writeFileSync(join(room, 'next', `${nextName()}.sql`), head + sql);
}

async function start(version: Version): Promise<{ database: Database<unknown>; report: MigrationReport }> {
  const { host, database: name, user, port } = place.connectionOptions as Record<string, string | number>;
  const url = `postgresql:///${name}?host=${encodeURIComponent(String(host))}&user=${user}&port=${port}`;
  const database = await openDatabase({ url });
  open.push(database);
  return { database, report: await applyMigrations(database.pool, join(room, version)) };
}

/** What a server of the present version does all day. */
async function work({ pool }: Database<unknown>, name: string): Promise<void> {
  await pool.query(`insert into parameter (name, value) values ($1, '1')`, [name]);
  await pool.query(`update parameter set value = '2' where name = $1`, [name]);
  const { rows } = await pool.query('select value from parameter where name = $1', [name]);
  expect(rows).toEqual([{ value: 2 }]);
}

describe('two successive versions on one database', () => {
  const addition = `alter table parameter add column note text not null default 'none';
    create table invented (id integer primary key);`;

  it('work side by side when the new one comes to the old one, which may be started again', async () => {
    letNextBring(addition, present);
    const old = await start('present');
    await work(old.database, 'before');
    const next = await start('next');
    expect(next.report).toEqual({ applied: [nextName()], version: present + 1 });
    await work(old.database, 'after');
    const again = await start('present');
    expect(again.report).toEqual({ applied: [], version: present + 1 });
    await work(again.database, 'again');
    const { rows } = await next.database.pool.query('select name, note from parameter order by name');
    expect(rows).toEqual(['after', 'again', 'before'].map((name) => ({ name, note: 'none' })));
  });

  it('work side by side when the old one comes to the new one', async () => {
    letNextBring(addition, present);
    const next = await start('next');
    const old = await start('present');
    expect(old.report).toEqual({ applied: [], version: present + 1 });
    await Promise.all([work(old.database, 'old'), work(next.database, 'next')]);
  });

  it('that do not go together: the old one is refused by the name of what it lacks, and changes nothing', async () => {
    letNextBring('alter table parameter rename column value to content;');
    await start('next');
    await expect(start('present')).rejects.toMatchObject({
      fault: {
        code: 'DATABASE_NEWER_THAN_PROGRAM',
        effect: 'none',
        retryable: false,
        detail: expect.stringContaining(`works with programs that know migration ${nextName()}`),
      },
    });
    expect((await start('next')).report).toEqual({ applied: [], version: present + 1 });
  });

  it('keep the floor when a later migration would let older programs in', async () => {
    letNextBring('create table invented (id integer);');
    const third = `${String(present + 2).padStart(4, '0')}-third`;
    writeFileSync(
      join(room, 'next', `${third}.sql`),
      `-- works with programs that know migration >= ${present}\nselect 1;`,
    );
    await start('next');
    await expect(start('present')).rejects.toMatchObject({
      fault: { detail: expect.stringMatching(`at migration ${third}.*know migration ${nextName()}`) },
    });
  });

  it('refuse each other when what they share was altered', async () => {
    letNextBring(addition, present);
    await start('next');
    const [first = ''] = readdirSync(join(room, 'present')).toSorted();
    writeFileSync(join(room, 'present', first), '-- altered');
    await expect(start('present')).rejects.toMatchObject({ fault: { code: 'MIGRATION_CHANGED' } });
  });
});

describe('a database that was migrated before floors were kept', () => {
  it('is given the columns, and its migrations stand for themselves alone', async () => {
    letNextBring('create table invented (id integer);', present);
    await start('next');
    await place.pool.query('alter table schema_migration drop column works_from, drop column applied_by');
    await expect(start('present')).rejects.toMatchObject({
      fault: { detail: expect.stringContaining(`know migration ${nextName()};`) },
    });
    expect((await start('next')).report.applied).toEqual([]);
  });
});

describe('a migration', () => {
  it.each([0, 99])('that says it works from %i is a bug of the release', async (worksFrom) => {
    letNextBring('select 1;', worksFrom);
    await expect(readMigrations(join(room, 'next'))).rejects.toThrow(`${nextName()}.sql cannot work`);
  });

  it('of ours that lets older programs go on only adds, and asks nothing of their inserts', async () => {
    const additive = (await readMigrations(migrationsFolder)).filter((one) => one.worksFrom < one.number);
    for (const { name, sql } of additive) {
      const statements = sql.replaceAll(/--.*$/gm, '').split(';');
      for (const statement of statements) {
        expect(statement, name).not.toMatch(/\b(drop|rename|truncate)\b|\balter column\b|\bset not null\b/i);
        expect(statement, name).not.toMatch(/\badd column\b(?![^,]*\bdefault\b)[^,]*\bnot null\b/i);
      }
    }
  });

  it('of the first version keeps its hash, for there are databases that were made with it', async () => {
    const [first] = await readMigrations(migrationsFolder);
    expect(first?.sha256).toBe('2908c68dedc47b56a7a7f528d90f092d6166fca9dadc0c9911de17c9184c1a50');
  });
});
