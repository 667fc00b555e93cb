import { randomUUID } from 'node:crypto';
import { channels } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { emptyTables } from '../../testing/empty-tables.ts';
import { sampleDigest } from '../../testing/sample-notice.ts';
import { enterNotices, StoredNotices } from '../stored-notices.ts';
import type { Tables } from '../tables.ts';
import { ListedNotices } from './listed-notices.ts';

let database: Database<Tables>;
let listed: ListedNotices;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  listed = new ListedNotices(database.kysely);
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

const enter = (plan: string) =>
  database.kysely
    .transaction()
    .execute((trx) => enterNotices(trx, randomUUID(), sampleDigest({ plan }), channels));

const page = async (query: Partial<Parameters<ListedNotices['page']>[0]> = {}) => {
  const found = await listed.page({ limit: 100, ...query });
  if (found === null) throw new Error('It is not a cursor of ours.');
  return found;
};

async function end(state: 'DELIVERED' | 'GIVEN_UP'): Promise<string> {
  const stored = new StoredNotices(database.kysely);
  const [claim] = await stored.claimNotices(['email']);
  if (claim === undefined) throw new Error('Nothing is due.');
  await stored.endNotice(claim, state, state === 'GIVEN_UP' ? 'It was refused.' : null);
  return claim.noticeId;
}

it('notices are listed newest first, page by page, each once', async () => {
  for (const plan of ['a', 'b', 'c']) await enter(plan);
  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const found = await page({ limit: 4, cursor: cursor ?? undefined });
    seen.push(...found.items.map(({ channel, summary }) => `${channel} ${/run of (.)/.exec(summary)?.[1]}`));
    cursor = found.nextCursor;
  } while (cursor !== null);
  expect(new Set(seen).size).toBe(9);
  expect(seen.map((line) => line.slice(-1)).join('')).toBe('cccbbbaaa');
  expect(await listed.page({ limit: 4, cursor: 'not ours' })).toBeNull();
});

it('notices are listed by how they stand and by channel', async () => {
  await enter('a');
  const id = await end('GIVEN_UP');
  expect((await page({ state: 'GIVEN_UP' })).items).toMatchObject([
    { id, channel: 'email', attempts: 1, lastProblem: 'It was refused.', nextTryAt: null },
  ]);
  expect((await page({ state: 'WAITING' })).items.map(({ channel }) => channel).sort()).toEqual([
    'syslog',
    'webhook',
  ]);
  expect((await page({ channel: 'syslog' })).items).toMatchObject([
    { channel: 'syslog', event: 'RUN_ENDED', endedAt: null, nextTryAt: expect.any(String) },
  ]);
});

it('a notice that was given up is tried again for another three days, one that arrived is not', async () => {
  await enter('a');
  const id = await end('GIVEN_UP');
  await sql`update notice set waiting_since = waiting_since - interval '4 days'`.execute(database.kysely);
  expect(await listed.retry(id)).toMatchObject({ id, state: 'WAITING', endedAt: null });
  const [claim] = await new StoredNotices(database.kysely).claimNotices(['email']);
  expect(claim).toMatchObject({ noticeId: id, attempts: 1 });
  expect(claim?.waitedMs).toBeLessThan(60_000);
  if (claim !== undefined) await new StoredNotices(database.kysely).endNotice(claim, 'DELIVERED', null);
  expect(await listed.retry(id)).toBe('delivered');
  expect(await listed.retry(randomUUID())).toBe('unknown');
  expect(await listed.retry('not-an-id')).toBe('unknown');
});

it('a notice that waits for its next try is tried at once when somebody asks', async () => {
  await enter('a');
  const stored = new StoredNotices(database.kysely);
  const [claim] = await stored.claimNotices(['email']);
  if (claim !== undefined) await stored.putOffNotice(claim, 'It is down.', 3_600_000);
  expect(await stored.claimNotices(['email'])).toEqual([]);
  await listed.retry(claim?.noticeId ?? '');
  expect(await stored.claimNotices(['email'])).toHaveLength(1);
});
