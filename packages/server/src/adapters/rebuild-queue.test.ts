import { randomUUIDv7 } from 'node:crypto';
import type { TaskSpec } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { BossQueue, type Queue } from '@stillpoint/engine';
import type { Transaction } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import { rebuildQueue } from './rebuild-queue.ts';
import type { Tables } from './tables.ts';

type QueueOfTables = Queue<Transaction<Tables>>;

let database: Database<Tables>;
const queues: QueueOfTables[] = [];

beforeEach(async () => {
  database = await openTestDatabase<Tables>();
});

afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.stop();
  await database.close();
});

function openQueue(): QueueOfTables {
  const queue = new BossQueue(database.connectionOptions, (error) => expect.fail(error.stack));
  return queue as unknown as QueueOfTables;
}

const rebuild = (): Promise<number> => rebuildQueue(database.kysely, openQueue);

async function known(program: 'run' | 'task', id: string, more: { token?: number; is_ended?: boolean } = {}) {
  await database.kysely
    .insertInto('journal_subject')
    .values({ id, program, spec: '{}', node_id: '00000000-0000-4000-8000-000000000001', ...more })
    .execute();
}

/** A run that its server left, as an import brings it. */
async function run(status: string): Promise<string> {
  const { runId } = await seedRun(database.kysely, { runId: randomUUIDv7(), status });
  await known('run', runId, { token: 4, is_ended: status === 'SUCCEEDED' });
  return runId;
}

async function task(
  runId: string,
  device: string,
  status: 'WAITING' | 'RUNNING' | 'SUCCEEDED' = 'WAITING',
): Promise<string> {
  const spec: TaskSpec = sampleTask({ runId, device, taskId: randomUUIDv7() });
  await seedTask(database.kysely, spec, { status });
  await known('task', spec.taskId, { token: status === 'WAITING' ? 0 : 9, is_ended: status === 'SUCCEEDED' });
  return spec.taskId;
}

async function imported(): Promise<void> {
  await database.kysely.insertInto('database_import').values({ exported_at: new Date() }).execute();
}

/** Claims and completes until nothing is left; what may go on at once is told together. */
async function drain(program: 'run' | 'task'): Promise<string[][]> {
  const queue = openQueue();
  queues.push(queue);
  await queue.start(['run', 'task']);
  const turns: string[][] = [];
  for (;;) {
    const claims = await queue.claim(program, 100, 'any');
    if (claims.length === 0) return turns;
    expect(claims.map(({ attempt }) => attempt)).toEqual(claims.map(() => 0));
    turns.push(claims.map(({ subjectId }) => subjectId));
    for (const claim of claims) await queue.complete(claim);
  }
}

describe('an imported database', () => {
  it('goes on with what had begun, and then with what waited, each device in its order', async () => {
    const [early, late] = [await run('RUNNING'), await run('RUNNING')];
    const waiting = [await task(early, 'QA1'), await task(early, 'QA2'), await task(early, 'QA1')];
    const begun = await task(late, 'QA1', 'RUNNING');
    const last = await task(late, 'QA2');
    const ended = await task(late, 'QA3', 'SUCCEEDED');
    await imported();
    expect(await rebuild()).toBe(7);
    expect(await drain('run')).toEqual([[early, late]]);
    const turns = await drain('task');
    const expected = [[waiting[1], begun], [waiting[0], last], [waiting[2]]];
    expect(turns.map((ids) => ids.toSorted())).toEqual(expected.map((ids) => ids.toSorted()));
    expect(turns.flat()).not.toContain(ended);
  });

  it('holds back the tasks of a run that has not let them go yet', async () => {
    const validating = await run('VALIDATING');
    await task(validating, 'QA1');
    const begun = await task(validating, 'QA2', 'RUNNING');
    await imported();
    expect(await rebuild()).toBe(2);
    expect(await drain('task')).toEqual([[begun]]);
    expect(await drain('run')).toEqual([[validating]]);
  });

  it('forgets who held what is open, and changes nothing of what has ended', async () => {
    const open = await run('RUNNING');
    const ended = await run('SUCCEEDED');
    await imported();
    await rebuild();
    const rows = await database.kysely
      .selectFrom('journal_subject')
      .select(['id', 'token', 'node_id'])
      .orderBy('id')
      .execute();
    expect(rows).toEqual([
      { id: open, token: 0, node_id: null },
      { id: ended, token: 4, node_id: expect.any(String) },
    ]);
  });

  it('is taken up once, by the servers that start on it together', async () => {
    const runId = await run('RUNNING');
    await task(runId, 'QA1');
    await imported();
    const counts = await Promise.all([rebuild(), rebuild(), rebuild()]);
    // Each of the two steps is done by whoever comes first to it.
    expect(counts.reduce((sum, count) => sum + count)).toBe(2);
    expect(await rebuild()).toBe(0);
    expect((await drain('task')).flat()).toHaveLength(1);
  });

  it('is taken up where a server that was killed left off, without a second time for what goes on', async () => {
    const runId = await run('RUNNING');
    const begun = await task(runId, 'QA1', 'RUNNING');
    const waiting = await task(runId, 'QA1');
    await imported();
    let transactions = 0;
    const dying = (): QueueOfTables => {
      const queue = openQueue();
      const enqueue: QueueOfTables['enqueue'] = (trx, program, entries) => {
        if (entries.some(({ subjectId }) => subjectId === waiting)) throw new Error('killed');
        transactions += 1;
        return queue.enqueue(trx, program, entries);
      };
      return Object.assign(Object.create(queue) as QueueOfTables, {
        enqueue,
        start: queue.start.bind(queue),
        stop: queue.stop.bind(queue),
      });
    };
    await expect(rebuildQueue(database.kysely, dying)).rejects.toThrow('killed');
    expect(transactions).toBe(2);
    await database.kysely.updateTable('journal_subject').set({ token: 1 }).where('id', '=', begun).execute();
    expect(await rebuild()).toBe(1);
    const { token } = await database.kysely
      .selectFrom('journal_subject')
      .select('token')
      .where('id', '=', begun)
      .executeTakeFirstOrThrow();
    expect(token).toBe(1);
    expect(await drain('task')).toEqual([[begun], [waiting]]);
  });

  it('that never was one is left alone, without a queue', async () => {
    await run('RUNNING');
    expect(await rebuildQueue(database.kysely, () => expect.fail('a queue was opened'))).toBe(0);
  });
});
