import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { StoredDefinitions } from './definitions.ts';
import type { Tables } from './tables.ts';

const SECRET = 'planted-secret';

let database: Database<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

const withKey = (fill: number) => new StoredDefinitions(database.kysely, Buffer.alloc(32, fill));

const set = (parameters: Record<string, unknown>, definitions = withKey(1)) =>
  definitions.save({ parameters, devices: [], plans: [] });

it('a secret parameter is given back to who sends it, and is only known to be set by all others', async () => {
  await set({ 'mail.password': SECRET, 'mail.server': 'mail.example.com:587' });
  const kept = await withKey(1).secretParameter('mail.password');
  expect(kept.ok && kept.value?.reveal()).toBe(SECRET);
  expect(String(kept.ok && kept.value)).toBe('[redacted]');
  expect(await withKey(1).parameterValues()).toEqual({
    'mail.server': 'mail.example.com:587',
    'mail.password': null,
  });
  expect(await withKey(1).hasSecret('mail.password', SECRET)).toBe(true);
  expect(await withKey(1).hasSecret('mail.password', `${SECRET}!`)).toBe(false);
  expect(await withKey(1).hasSecret('webhook.secret', SECRET)).toBe(false);
});

it('a secret parameter is sealed in the database, another time with other bytes', async () => {
  const sealed = async () =>
    (
      await database.kysely.selectFrom('sealed_parameter').selectAll().executeTakeFirstOrThrow()
    ).sealed_value.toString('latin1');
  await set({ 'mail.password': SECRET });
  const first = await sealed();
  await set({ 'mail.password': 'something else for a while' });
  await set({ 'mail.password': SECRET });
  expect(await sealed()).not.toBe(first);
  expect(`${first}${await sealed()}`).not.toContain(SECRET);
  expect(await database.kysely.selectFrom('parameter').selectAll().execute()).toEqual([]);
});

it('a secret parameter cannot be read as another one, nor with another key', async () => {
  await set({ 'mail.password': SECRET });
  expect(await withKey(2).secretParameter('mail.password')).toMatchObject({
    ok: false,
    fault: { code: 'SECRET_NOT_READABLE', retryable: false },
  });
  expect(await withKey(2).hasSecret('mail.password', SECRET)).toBe(false);
  await database.kysely.updateTable('sealed_parameter').set({ name: 'webhook.secret' }).execute();
  expect((await withKey(1).secretParameter('webhook.secret')).ok).toBe(false);
});

it('a secret parameter that is an empty text is no longer set', async () => {
  await set({ 'mail.password': SECRET });
  await set({ 'mail.password': '' });
  expect(await withKey(1).secretParameter('mail.password')).toEqual({ ok: true, value: null });
  expect(await withKey(1).parameterValues()).toEqual({});
});
