import { randomUUIDv7 } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../packages/database/src/index.ts';
import { openTestDatabase } from '../../packages/database/src/testing/open-test-database.ts';
import {
  BossQueue,
  type EngineTables,
  PostgresJournal,
  type QueueConnection,
} from '../../packages/engine/src/index.ts';

describe('the queue on pg-boss', () => {
  let database: Database<EngineTables>;
  let queue: BossQueue;
  let isClosing: boolean;

  beforeEach(async () => {
    isClosing = false;
    database = await openTestDatabase<EngineTables>();
    queue = await open();
  });

  afterEach(async () => {
    isClosing = true;
    await queue.stop();
    await database.close();
  });

  async function open(): Promise<BossQueue> {
    const opened = new BossQueue(database.connectionOptions as QueueConnection, (error) => {
      if (!isClosing) throw error;
    });
    await opened.start(['steps']);
    return opened;
  }

  async function enqueue(): Promise<string> {
    const subjectId = randomUUIDv7();
    const journal = new PostgresJournal(database.kysely);
    await journal.transact((trx) => queue.enqueue(trx, 'steps', [{ subjectId, key: 'a', order: 1 }]));
    return subjectId;
  }

  async function restart(): Promise<void> {
    isClosing = true;
    await queue.stop();
    isClosing = false;
    queue = await open();
  }

  /** What is stamped looks as if the clock of the database had been put back by an hour since. */
  async function putClockBack(): Promise<void> {
    await database.pool.query(
      `update pgboss.job set start_after = start_after + interval '1 hour',
         heartbeat_on = heartbeat_on + interval '1 hour', started_on = started_on + interval '1 hour'`,
    );
    await database.pool.query(
      `update pgboss.queue set monitor_on = now() + interval '1 hour',
         monitor_claim_on = now() + interval '1 hour', maintain_on = now() + interval '1 hour'`,
    );
  }

  it('keeps what waits for years, also in a queue that an earlier version made', async () => {
    await database.pool.query(`update pgboss.queue set retention_seconds = 1209600 where name = 'steps'`);
    await restart();
    await enqueue();
    await database.pool.query(`update pgboss.job set keep_until = now() + interval '14 days'`);
    await restart();
    const { rows } = await database.pool.query(
      `select q.retention_seconds, (j.keep_until > now() + interval '9 years') as is_kept
       from pgboss.queue q join pgboss.job j on j.name = q.name where q.name = 'steps'`,
    );
    expect(rows).toEqual([{ retention_seconds: 315_360_000, is_kept: true }]);
  });

  it('gives out what was queued before the clock of the database was put back', async () => {
    const subjectId = await enqueue();
    await putClockBack();
    expect(await queue.claim('steps', 1, 'any')).toEqual([]);
    await restart();
    expect(await queue.claim('steps', 1, 'any')).toEqual([{ queue: 'steps', subjectId, attempt: 0 }]);
  });

  it('lets what was put off wait no longer than was asked for when the clock of the database was put back', async () => {
    const journal = new PostgresJournal(database.kysely);
    const startAfter = async (): Promise<number> => {
      const { rows } = await database.pool.query(
        `select extract(epoch from start_after - now())::float8 as seconds from pgboss.job where name = 'steps'`,
      );
      return rows[0].seconds;
    };
    await enqueue();
    const [claim] = await queue.claim('steps', 1, 'any');
    if (claim === undefined) throw new Error('there is nothing to claim');
    await journal.transact((trx) => queue.putOff(trx, claim, 600_000));
    await restart();
    expect(await startAfter()).toBeGreaterThan(500);
    await putClockBack();
    await restart();
    expect(await startAfter()).toBeGreaterThan(500);
    expect(await startAfter()).toBeLessThanOrEqual(600);
  });

  it('notices a claim that was lost after the clock of the database was put back', {
    timeout: 40_000,
  }, async () => {
    const subjectId = await enqueue();
    await queue.claim('steps', 1, 'any');
    await putClockBack();
    await restart();
    // From here on a lease goes by without a renewal.
    await expect
      .poll(() => queue.claim('steps', 1, 'any'), { timeout: 30_000, interval: 500 })
      .toEqual([{ queue: 'steps', subjectId, attempt: 1 }]);
  });
});
