import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Database } from './open-database.ts';
import { StatementNames } from './preparing-client.ts';
import { openTestDatabase } from './testing/open-test-database.ts';

test('a statement has a name from its sixth use on, and keeps it', () => {
  const names = new StatementNames();
  const asked = Array.from({ length: 8 }, () => names.nameOf('select $1::text'));
  expect(asked.slice(0, 5)).toEqual(Array(5).fill(undefined));
  expect(new Set(asked.slice(5)).size).toBe(1);
});

test('no more than a hundred statements have names, and none that is long or leaves its columns open', () => {
  const names = new StatementNames();
  const often = (text: string): string | undefined =>
    Array.from({ length: 6 }, () => names.nameOf(text)).at(-1);
  expect(often(`select '${'x'.repeat(2000)}', $1::text`)).toBeUndefined();
  expect(often('select * from task where id = $1')).toBeUndefined();
  const given = Array.from({ length: 120 }, (_, at) => often(`select ${at}, $1::text`));
  expect(new Set(given.filter((name) => name !== undefined)).size).toBe(100);
});

describe('a connection of the pool', () => {
  let database: Database<unknown>;

  beforeAll(async () => {
    database = await openTestDatabase();
  });

  afterAll(() => database.close());

  it('answers the same before and after a statement is kept, also when the table has changed', async () => {
    const client = await database.pool.connect();
    await client.query('create temporary table thing (id integer, name text)');
    await client.query("insert into thing values (1, 'one'), (2, 'two')");
    const nameOf = async (id: number): Promise<unknown> =>
      (await client.query<{ name: string }>('select name from thing where id = $1', [id])).rows;
    for (let times = 0; times < 7; times += 1) expect(await nameOf(2)).toEqual([{ name: 'two' }]);
    const kept = await client.query<{ statement: string }>('select statement from pg_prepared_statements');
    expect(kept.rows).toEqual([{ statement: 'select name from thing where id = $1' }]);
    await client.query('alter table thing add column more text, drop column id, add column id integer');
    expect(await nameOf(2)).toEqual([]);
    client.release(true);
  });
});
