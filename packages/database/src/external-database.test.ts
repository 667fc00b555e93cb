import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from './open-database.ts';
import { openDatabase } from './open-database.ts';
import { openTestDatabase } from './testing/open-test-database.ts';
import { pretendServer } from './testing/pretend-server.ts';

let database: Database<unknown>;
beforeAll(async () => {
  database = await openTestDatabase({ isMigrated: false });
});
afterAll(() => database.close());

/** The address of a database of the test server, over its socket. */
function addressOf(name: string): string {
  const { host } = database.connectionOptions as { host: string };
  return `postgresql://stillpoint:s3cret@/${name}?host=${encodeURIComponent(host)}`;
}

function nameOf(opened: Database<unknown>): string {
  return (opened.connectionOptions as { database: string }).database;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The fault with which an address is refused, after a look that no part of the error shows the password. */
async function faultOf(url: string): Promise<unknown> {
  const error = await openDatabase({ url }).then(
    () => new Error('it was opened'),
    (reason) => reason,
  );
  expect(inspect(error, { depth: 9 })).not.toContain('s3cret');
  return error.fault;
}

test('a database at an address is opened, migrated and closed', async () => {
  const opened = await openDatabase({ url: addressOf(nameOf(database)) });
  try {
    expect(opened.connectionOptions).toEqual({ connectionString: addressOf(nameOf(database)) });
    expect(await opened.migrate()).toHaveProperty('version');
  } finally {
    await opened.close();
  }
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test.each([
  '',
  'localhost',
  'mysql://localhost/x',
  'https://localhost',
  'postgresql://me:s3cret@host:port/x',
  'postgresql://me:s3cret@host/x?sslrootcert=/absent',
])('the address "%s" is refused', async (url) => {
  expect(await faultOf(url)).toMatchObject({
    code: 'DATABASE_URL_INVALID',
    effect: 'none',
    retryable: false,
  });
});

test('a server that is not there is unreachable, and worth another try', async () => {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  const fault = await faultOf(`postgresql://me:s3cret@127.0.0.1:${port}/stillpoint`);
  expect(fault).toMatchObject({
    code: 'DATABASE_UNREACHABLE',
    retryable: true,
    detail: expect.stringContaining(`127.0.0.1:${port}/stillpoint: ECONNREFUSED`),
  });
});

test('a database that does not exist is unreachable, and not worth another try', async () => {
  const fault = await faultOf(addressOf('absent'));
  expect(fault).toMatchObject({ code: 'DATABASE_UNREACHABLE', retryable: false });
});

test('a server older than 15 is refused with its version', async () => {
  const server = pretendServer({ version: '14.19', version_number: '140019', encoding: 'UTF8' });
  const port = await listen(server);
  try {
    expect(await faultOf(`postgresql://127.0.0.1:${port}/stillpoint?user=me`)).toMatchObject({
      code: 'DATABASE_TOO_OLD',
      detail: expect.stringContaining('PostgreSQL 14.19'),
    });
  } finally {
    server.close();
    await once(server, 'close');
  }
});

test('a database that is not UTF-8 is refused with its encoding', async () => {
  await database.pool.query(`create database bytes_only template template0 encoding 'SQL_ASCII'
    locale_provider libc locale 'C'`);
  try {
    expect(await faultOf(addressOf('bytes_only'))).toMatchObject({
      code: 'DATABASE_NOT_UTF8',
      detail: expect.stringContaining('SQL_ASCII'),
    });
  } finally {
    await database.pool.query('drop database bytes_only with (force)');
  }
});
