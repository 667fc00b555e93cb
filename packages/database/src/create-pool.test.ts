import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from './create-pool.ts';
import type { Database } from './open-database.ts';
import { openTestDatabase } from './testing/open-test-database.ts';

let database: Database<unknown>;
beforeAll(async () => {
  database = await openTestDatabase({ isMigrated: false });
});
afterAll(() => database.close());

async function answerTo(expression: string): Promise<unknown> {
  const { rows } = await database.pool.query(`select ${expression} as value`);
  return rows[0].value;
}

test('an int8 is a number', async () => {
  expect(await answerTo('9007199254740991::int8')).toBe(Number.MAX_SAFE_INTEGER);
});

test('an int8 that a number cannot hold is an error, not a neighbour', async () => {
  await expect(answerTo('9007199254740993::int8')).rejects.toThrow('9007199254740993');
});

test('a date stays the text it is, whatever the zone', async () => {
  expect(await answerTo(`date '2024-02-29'`)).toBe('2024-02-29');
  expect(await answerTo(`timestamp '2024-02-29 01:02:03'`)).toBe('2024-02-29 01:02:03');
});

test('an instant is a Date', async () => {
  expect(await answerTo(`timestamptz '2024-02-29 01:02:03+02'`)).toEqual(new Date('2024-02-28T23:02:03Z'));
});

test('sessions reckon in UTC', async () => {
  expect(await answerTo(`current_setting('TimeZone')`)).toBe('UTC');
});

test('a transaction whose client has fallen silent gives up what it has locked', async () => {
  const pool = createPool(database.connectionOptions, () => undefined, 50);
  try {
    const silent = await pool.connect();
    const lost = once(silent, 'error');
    await silent.query('begin; select pg_advisory_xact_lock(7)');
    await database.pool.query('select pg_advisory_lock(7)');
    expect(`${await lost}`).toContain('idle-in-transaction');
    silent.release(true);
  } finally {
    await pool.end();
  }
});
