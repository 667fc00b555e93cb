import { randomUUID } from 'node:crypto';
import type { Channel } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyTables } from '../../testing/empty-tables.ts';
import { sampleDigest } from '../../testing/sample-notice.ts';
import { sampleTask } from '../../testing/sample-task.ts';
import { seedRun, seedTask } from '../../testing/seed-run.ts';
import { lookForAlarms } from '../look-for-alarms.ts';
import { enterNotices, StoredNotices } from '../stored-notices.ts';
import type { Tables } from '../tables.ts';

let database: Database<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

const look = () => lookForAlarms(database.kysely, 'host-1', []);

async function set(values: Record<string, unknown>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await database.kysely
      .insertInto('parameter')
      .values({ name, value: JSON.stringify(value) })
      .execute();
  }
}

/** A device that an ended task left quiesced. */
async function leaveQuiesced(): Promise<void> {
  const task = sampleTask({ ...(await seedRun(database.kysely)), device: 'QA1' });
  await seedTask(database.kysely, task, { status: 'FAILED' });
  await database.kysely
    .insertInto('device_guard')
    .values({
      device: 'QA1',
      task_id: task.taskId,
      scope: JSON.stringify({ kind: 'domain', domain: 'A' }),
      intended_at: new Date(0),
      left_at: new Date(1),
    })
    .execute();
}

const release = () =>
  database.kysely
    .updateTable('device_guard')
    .set({ released_at: new Date(2) })
    .execute();

const notices = () => database.kysely.selectFrom('notice').selectAll().orderBy('number').execute();
const told = async () =>
  (await notices()).map(({ channel, content }) => {
    const { event, subject } = content as { event: string; subject: { kind: string; name: string } };
    return `${channel} ${event} ${subject.kind} ${subject.name}`;
  });

describe('an alarm', () => {
  it('is told once when it opens and once when it closes, by every channel that is set up', async () => {
    await set({
      'webhook.url': 'http://127.0.0.1/',
      'syslog.server': '127.0.0.1:514',
      'mail.server': 'a:25',
    });
    await leaveQuiesced();
    await look();
    await look();
    expect((await told()).sort()).toEqual([
      'syslog ALARM_RAISED device QA1',
      'webhook ALARM_RAISED device QA1',
    ]);
    expect((await notices())[0]?.content).toMatchObject({
      code: 'DEVICE_LEFT_QUIESCED',
      sentence: expect.stringContaining('QA1/A is, or may be, quiesced'),
      closedAt: null,
    });
    await release();
    await look();
    await look();
    expect((await told()).slice(2).sort()).toEqual([
      'syslog ALARM_CLEARED device QA1',
      'webhook ALARM_CLEARED device QA1',
    ]);
    expect((await notices()).at(-1)?.content).toMatchObject({ closedAt: expect.any(Number) });
  });

  it('is told again when it opens again', async () => {
    await set({ 'webhook.url': 'http://127.0.0.1/' });
    await leaveQuiesced();
    await look();
    await release();
    await look();
    await database.kysely.updateTable('device_guard').set({ released_at: null }).execute();
    await look();
    expect(await told()).toEqual([
      'webhook ALARM_RAISED device QA1',
      'webhook ALARM_CLEARED device QA1',
      'webhook ALARM_RAISED device QA1',
    ]);
  });

  it('that closed before anybody could be told that it opened is told in that order', async () => {
    await set({ 'webhook.url': 'http://127.0.0.1/' });
    const stored = new StoredNotices(database.kysely);
    const eventOf = async () => (await stored.claimNotices(['webhook'])).map(({ content }) => content.event);
    await leaveQuiesced();
    await look();
    const [raised] = await stored.claimNotices(['webhook']);
    if (raised === undefined) throw new Error('Nothing is due.');
    await release();
    await look();
    expect(await eventOf()).toEqual([]);
    await stored.putOffNotice(raised, 'It is down.', 30_000);
    expect(await eventOf()).toEqual([]);
    await sql`update notice set next_try_at = clock_timestamp()`.execute(database.kysely);
    const [again] = await stored.claimNotices(['webhook']);
    expect(again?.content.event).toBe('ALARM_RAISED');
    if (again !== undefined) await stored.endNotice(again, 'DELIVERED', null);
    expect(await eventOf()).toEqual(['ALARM_CLEARED']);
  });

  it('is told to nobody while no channel is set up', async () => {
    await leaveQuiesced();
    await look();
    expect(await notices()).toEqual([]);
  });
});

describe('the alarm about a channel', () => {
  const enter = (channel: Channel) =>
    database.kysely
      .transaction()
      .execute((trx) => enterNotices(trx, randomUUID(), sampleDigest(), [channel]));

  const claimed = async (channel: Channel) => {
    const [claim] = await new StoredNotices(database.kysely).claimNotices([channel]);
    if (claim === undefined) throw new Error('Nothing is due.');
    return claim;
  };

  async function fail(channel: Channel): Promise<void> {
    await enter(channel);
    await new StoredNotices(database.kysely).putOffNotice(await claimed(channel), 'It is down.', 1);
  }

  async function end(channel: Channel, state: 'DELIVERED' | 'GIVEN_UP'): Promise<void> {
    await enter(channel);
    await new StoredNotices(database.kysely).endNotice(await claimed(channel), state, 'It was refused.');
  }

  const pass = (minutes: number) =>
    sql`
      update notice set waiting_since = waiting_since - make_interval(mins => ${minutes}),
        ended_at = ended_at - make_interval(mins => ${minutes})
    `.execute(database.kysely);

  const open = () =>
    database.kysely
      .selectFrom('alarm')
      .select(['code', 'subject_kind', 'subject_name', 'last_problem'])
      .where('closed_at', 'is', null)
      .execute();

  it('opens when something has waited for an hour, and closes when something arrives', async () => {
    await fail('email');
    await pass(59);
    await look();
    expect(await open()).toEqual([]);
    await pass(2);
    await look();
    expect(await open()).toEqual([
      {
        code: 'NOTICE_NOT_DELIVERED',
        subject_kind: 'channel',
        subject_name: 'email',
        last_problem: 'It is down.',
      },
    ]);
    await end('syslog', 'DELIVERED');
    await look();
    expect(await open()).toHaveLength(1);
    await database.kysely
      .updateTable('notice')
      .set({ state: 'DELIVERED', ended_at: sql<Date>`clock_timestamp()` })
      .execute();
    await look();
    expect(await open()).toEqual([]);
  });

  it('is found among as many notices as a week without a receiver leaves', async () => {
    const enterMany = (state: string, count: number) =>
      sql`
        insert into notice (
          id, channel, event, subject_id, content, state, attempts, created_at, waiting_since, next_try_at, ended_at
        )
        select gen_random_uuid(), 'email', 'RUN_ENDED', gen_random_uuid(), '{}'::jsonb, ${state}::text, 1, at, at, at,
          case ${state}::text when 'DELIVERED' then at end
        from generate_series(1, ${count}::integer) as n,
          make_timestamptz(2026, 1, case ${state}::text when 'DELIVERED' then 1 else 9 end, 0, 0, 0, 'UTC') as at
      `.execute(database.kysely);
    await enterMany('DELIVERED', 30_000);
    await enterMany('WAITING', 20_000);
    await look();
    expect(await open()).toMatchObject([{ subject_name: 'email' }]);
    expect(await claimed('email')).toMatchObject({ channel: 'email' });
  });

  it('opens at once when something was given up, and closes when something arrives or a day has passed', async () => {
    await end('webhook', 'GIVEN_UP');
    await look();
    expect(await open()).toMatchObject([{ subject_name: 'webhook', last_problem: 'It was refused.' }]);
    await end('webhook', 'DELIVERED');
    await look();
    expect(await open()).toEqual([]);
    await end('webhook', 'GIVEN_UP');
    await look();
    expect(await open()).toHaveLength(1);
    await pass(24 * 60);
    await look();
    expect(await open()).toEqual([]);
  });

  it('opens for a heartbeat that has failed for an hour, while one is asked for', async () => {
    await set({ 'heartbeat.url': 'http://127.0.0.1/' });
    const stored = new StoredNotices(database.kysely);
    await stored.claimHeartbeat(60_000);
    await stored.tellHeartbeat('Nobody answers.');
    await look();
    expect(await open()).toEqual([]);
    await sql`update heartbeat set failing_since = failing_since - interval '61 minutes'`.execute(
      database.kysely,
    );
    await look();
    expect(await open()).toMatchObject([{ subject_name: 'heartbeat', last_problem: 'Nobody answers.' }]);
    await database.kysely.deleteFrom('parameter').execute();
    await look();
    expect(await open()).toEqual([]);
  });
});
