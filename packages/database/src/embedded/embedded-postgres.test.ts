import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DatabaseEvent } from '../database-event.ts';
import { type Database, openDatabase } from '../open-database.ts';
import { makeSeededDirectories, type SeededDirectories } from '../testing/make-seeded-directories.ts';
import { serveInChild } from '../testing/serve-in-child.ts';
import { openEmbeddedPostgres } from './embedded-postgres.ts';
import { processIdentity } from './process-identity.ts';

let directories: SeededDirectories;
beforeAll(async () => {
  directories = await makeSeededDirectories();
});
afterAll(() => directories.dispose());

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Watched = {
  database: Database<unknown>;
  next<K extends DatabaseEvent['kind']>(kind: K): Promise<Extract<DatabaseEvent, { kind: K }>>;
};

/** An open database whose next event of a kind can be waited for. */
async function open(dataDirectory: string): Promise<Watched> {
  const seen: DatabaseEvent[] = [];
  let wake = Promise.withResolvers<void>();
  const database = await openDatabase(
    { dataDirectory },
    {
      onEvent(event) {
        seen.push(event);
        wake.resolve();
        wake = Promise.withResolvers();
      },
    },
  );
  closers.push(() => database.close());
  return {
    database,
    async next(kind) {
      for (;;) {
        const index = seen.findIndex((event) => event.kind === kind);
        if (index >= 0) return seen.splice(index, 1)[0] as never;
        await wake.promise;
      }
    },
  };
}

async function answerTo(database: Database<unknown>, expression: string): Promise<unknown> {
  const { rows } = await database.pool.query(`select ${expression} as value`);
  return rows[0].value;
}

test('a new data directory gets a database, and what is in it is there the next time', async () => {
  const path = join(dirname(directories.next()), 'new', 'deep');
  const first = await open(path);
  const { durationMs: firstMs } = await first.next('postgresStarted');
  await first.database.pool.query('create table device (id int); insert into device values (7)');
  await first.database.close();
  const second = await open(path);
  const { durationMs: secondMs, pid } = await second.next('postgresStarted');
  expect(await answerTo(second.database, '(select id from device)')).toBe(7);
  await second.database.close();
  expect(processIdentity(pid)).toBeUndefined();
  console.log(`first start ${Math.round(firstMs)} ms, second start ${Math.round(secondMs)} ms`);
});

test('the server is durable, private, and without a network', async () => {
  const path = directories.next();
  const { database } = await open(path);
  const settings = {
    data_checksums: 'on',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    listen_addresses: '',
    unix_socket_permissions: '0700',
    TimeZone: 'UTC',
    server_encoding: 'UTF8',
    lc_messages: 'C',
  };
  for (const [name, value] of Object.entries(settings)) {
    expect(await answerTo(database, `current_setting('${name}')`), name).toBe(value);
  }
  expect(await answerTo(database, `lower('ÄÖ')`)).toBe('äö');
  for (const name of ['postgres', 'postgres/socket', 'postgres/cluster']) {
    expect(statSync(join(path, name)).mode & 0o777, name).toBe(0o700);
  }
  expect(statSync(join(path, 'postgres/postgres.log')).mode & 0o777).toBe(0o600);
});

test('what a statement that failed held is not in the log', async () => {
  const path = directories.next();
  const { database } = await open(path);
  await database.pool.query('create table device (password text primary key)');
  const insert = () => database.pool.query('insert into device values ($1)', ['hunter2']);
  await insert();
  await expect(insert()).rejects.toThrow('duplicate key');
  await expect(database.pool.query(`select 'hunter2'::int`)).rejects.toThrow('hunter2');
  expect(readFileSync(join(path, 'postgres/postgres.log'), 'utf8')).not.toContain('hunter2');
});

test('a second server on the same data directory is refused with the pid of the first', async () => {
  const path = directories.next();
  const { database } = await open(path);
  const other = await serveInChild(path);
  await other.close();
  expect(other.fault).toMatchObject({
    code: 'DATA_DIRECTORY_IN_USE',
    detail: expect.stringContaining(`Process ${process.pid} holds`),
  });
  expect(await answerTo(database, '1')).toBe(1);
});

test('a PostgreSQL that dies is started again, and what it acknowledged is still there', async () => {
  const { database, next } = await open(directories.next());
  const { pid } = await next('postgresStarted');
  await database.pool.query('create table device (id int); insert into device values (7)');
  process.kill(pid, 'SIGKILL');
  expect(await next('postgresDied')).toMatchObject({ pid, detail: 'signal SIGKILL' });
  const restarted = await next('postgresRestarted');
  expect(restarted.pid).not.toBe(pid);
  expect(await answerTo(database, '(select id from device)')).toBe(7);
  console.log(`PostgreSQL was down for ${Math.round(restarted.downForMs)} ms`);
});

test('a transaction that is between two statements when PostgreSQL dies fails, and nothing else does', async () => {
  const { database, next } = await open(directories.next());
  const { pid } = await next('postgresStarted');
  await database.pool.query('create table device (id int)');
  const transaction = database.kysely.transaction().execute(async (statements) => {
    await sql`insert into device values (7)`.execute(statements);
    process.kill(pid, 'SIGKILL');
    await next('postgresRestarted');
    await sql`insert into device values (8)`.execute(statements);
  });
  await expect(transaction).rejects.toThrow(/connection/i);
  expect(await answerTo(database, '(select count(*) from device)')).toBe(0);
});

test('a restart that fails is told and tried again, after an ever longer pause', async () => {
  const path = directories.next();
  const { database, next } = await open(path);
  const { pid } = await next('postgresStarted');
  const control = join(path, 'postgres/cluster/global/pg_control');
  renameSync(control, `${control}.away`);
  process.kill(pid, 'SIGKILL');
  const { fault, retryInMs } = await next('postgresRestartFailed');
  expect(fault).toMatchObject({
    code: 'EMBEDDED_POSTGRES_FAILED',
    detail: expect.stringContaining('pg_control'),
  });
  const pauses = [retryInMs];
  while (pauses.length < 4) pauses.push((await next('postgresRestartFailed')).retryInMs);
  expect(pauses).toEqual([100, 200, 400, 800]);
  renameSync(`${control}.away`, control);
  await next('postgresRestarted');
  expect(await answerTo(database, '1')).toBe(1);
});

test('closing while PostgreSQL cannot be restarted ends the attempts', async () => {
  const path = directories.next();
  const { database, next } = await open(path);
  const { pid } = await next('postgresStarted');
  renameSync(join(path, 'postgres/cluster/global'), join(path, 'postgres/cluster/away'));
  process.kill(pid, 'SIGKILL');
  await next('postgresRestartFailed');
  await database.close();
  expect(existsSync(join(path, 'postgres/owner.lock'))).toBe(false);
});

test('a server that does not start is a fault with the end of its log, and the lock is free again', async () => {
  const path = directories.next();
  const broken = openEmbeddedPostgres(path, { extraSettings: { shared_buffers: 'plenty' } });
  await expect(broken).rejects.toMatchObject({
    fault: {
      code: 'EMBEDDED_POSTGRES_FAILED',
      detail: expect.stringMatching(/exit code 1.*shared_buffers/s),
    },
  });
  await open(path);
});

test('a cluster of another major version is refused untouched', async () => {
  const path = directories.next();
  writeFileSync(join(path, 'postgres/cluster/PG_VERSION'), '17\n');
  await expect(open(path)).rejects.toMatchObject({
    fault: { code: 'DATA_DIRECTORY_OTHER_VERSION', detail: expect.stringContaining('PostgreSQL 17') },
  });
});

test('what an interrupted first start left is removed', async () => {
  const path = directories.next();
  mkdirSync(join(path, 'postgres/cluster.draft-1-1'));
  writeFileSync(join(path, 'postgres/cluster.draft-1-1/PG_VERSION'), '18\n');
  await open(path);
  expect(readdirSync(join(path, 'postgres')).filter((name) => name.includes('draft'))).toEqual([]);
});

test('a data directory that cannot be made is refused with its path', async () => {
  const path = directories.next();
  writeFileSync(join(path, 'file'), '');
  await expect(open(join(path, 'file', 'data'))).rejects.toMatchObject({
    fault: { code: 'DATA_DIRECTORY_NOT_WRITABLE', detail: expect.stringContaining(join(path, 'file')) },
  });
});

test('a path too long for a socket gets a short folder, which is gone after closing', async () => {
  const path = join(directories.next(), 'x'.repeat(100));
  const { database } = await open(path);
  const recorded = readFileSync(join(path, 'postgres/socket-folder'), 'utf8').trim();
  expect(database.connectionOptions).toMatchObject({ host: recorded });
  expect(statSync(recorded).mode & 0o777).toBe(0o700);
  expect(await answerTo(database, '1')).toBe(1);
  await database.close();
  expect(existsSync(recorded)).toBe(false);
});
