import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { StoredDefinitions } from './definitions.ts';
import { StoredParameterChanges } from './stored-parameter-changes.ts';
import type { Tables } from './tables.ts';

let database: Database<Tables>;
let db: Kysely<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  db = database.kysely;
});
beforeEach(() => emptyTables(db));
afterAll(() => database.close());

describe('changes of parameters', () => {
  const save = (parameters: Record<string, unknown>, changedBy?: string) =>
    new StoredDefinitions(db, Buffer.alloc(32)).save({
      parameters,
      devices: [],
      plans: [],
      ...(changedBy === undefined ? {} : { changedBy }),
    });
  const page = (query: { name?: string; limit?: number; cursor?: string } = {}) =>
    new StoredParameterChanges(db).page({ limit: 10, ...query });
  const lines = async () =>
    ((await page())?.items ?? []).map(
      ({ name, before, after, changedBy }) => `${name} ${before} ${after} by ${changedBy}`,
    );

  it('are recorded with the values before and after, and who made them; what stays the same is none', async () => {
    await save({ 'devices.parallel': 8 });
    await save({ 'devices.parallel': 8 });
    await save({ 'devices.parallel': 9, 'window.default': '22:00-06:00' }, 'j.meier');
    expect(await lines()).toEqual([
      'window.default null 22:00-06:00 by j.meier',
      'devices.parallel 8 9 by j.meier',
      'devices.parallel null 8 by operator',
    ]);
  });

  it('never hold a secret', async () => {
    await save({ 'mail.password': 'a secret of many words' });
    await save({ 'mail.password': '' });
    expect((await page())?.items).toMatchObject([
      { name: 'mail.password', isSecret: true, before: null, after: null },
      { name: 'mail.password', isSecret: true, before: null, after: null },
    ]);
    const { rows } = await sql<{
      text: string;
    }>`select parameter_change::text as text from parameter_change`.execute(db);
    expect(JSON.stringify(rows)).not.toContain('secret of many');
  });

  it('are none where a secret is set to what it is, or unset while it is not set', async () => {
    await save({ 'mail.password': '' });
    await save({ 'mail.password': 'a secret of many words' });
    await save({ 'mail.password': 'a secret of many words' });
    expect(await lines()).toHaveLength(1);
  });

  it('come page by page, of all parameters or one', async () => {
    for (const value of [1, 2, 3]) await save({ 'devices.parallel': value, 'queue.maxHours': value });
    const first = await page({ name: 'queue.maxHours', limit: 2 });
    expect(first?.items.map(({ after }) => after)).toEqual([3, 2]);
    const rest = await page({ name: 'queue.maxHours', limit: 2, cursor: first?.nextCursor ?? '' });
    expect(rest).toMatchObject({ items: [{ after: 1 }], nextCursor: null });
    expect(await page({ cursor: 'not one of ours' })).toBeNull();
  });
});
