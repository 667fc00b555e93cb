import { randomUUID } from 'node:crypto';
import type { Alarm } from '@stillpoint/contract';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ParkedSubject } from '../programs/parked-subjects.ts';
import { emptyTables } from '../testing/empty-tables.ts';
import { sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import { lookForAlarms } from './look-for-alarms.ts';
import { StoredAlarms } from './stored-alarms.ts';
import { StoredNodes } from './stored-nodes.ts';
import type { Tables } from './tables.ts';

let database: Database<Tables>;
let alarms: StoredAlarms;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  alarms = new StoredAlarms(database.kysely);
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

const look = (parked: readonly ParkedSubject[] = [], nodeName = 'host-1') =>
  lookForAlarms(database.kysely, nodeName, parked);

async function list(state: 'open' | 'all' = 'open'): Promise<Alarm[]> {
  return (await alarms.page({ state, limit: 100 }))?.items ?? [];
}

const shown = async (state: 'open' | 'all' = 'open') =>
  (await list(state)).map(({ code, subject, closedAt }) =>
    [code, subject.kind, subject.name, closedAt === null ? 'open' : 'closed'].join(' '),
  );

async function startNode(): Promise<string> {
  const id = randomUUID();
  const identity = { id, name: id, hostName: '', version: '1', pid: 1 };
  await new StoredNodes(database.kysely, identity).beat(16);
  return id;
}

async function silence(nodeId: string, seconds = 11): Promise<void> {
  await database.kysely
    .updateTable('node')
    .set({ heartbeat_at: sql<Date>`clock_timestamp() - make_interval(secs => ${seconds})` })
    .where('id', '=', nodeId)
    .execute();
}

/** A task that goes on, held by a node, with its journal. */
async function startTask(nodeId: string, facts: readonly object[] = []): Promise<string> {
  const task = sampleTask({ ...(await seedRun(database.kysely)), device: 'QA1' });
  await seedTask(database.kysely, task, { status: 'RUNNING' });
  await database.kysely
    .insertInto('journal_subject')
    .values({ id: task.taskId, program: 'task', spec: '{}', node_id: nodeId, last_seq: facts.length })
    .execute();
  for (const [index, fact] of facts.entries()) {
    await database.kysely
      .insertInto('journal_fact')
      .values({ subject_id: task.taskId, seq: index + 1, body: JSON.stringify(fact) })
      .execute();
  }
  return task.taskId;
}

/** Somebody takes hold of a task and adds to its journal. */
async function proceed(taskId: string, token: number, facts: readonly object[]): Promise<void> {
  const { last_seq: last } = await database.kysely
    .selectFrom('journal_subject')
    .select('last_seq')
    .where('id', '=', taskId)
    .executeTakeFirstOrThrow();
  for (const [index, fact] of facts.entries()) {
    await database.kysely
      .insertInto('journal_fact')
      .values({ subject_id: taskId, seq: last + index + 1, body: JSON.stringify(fact) })
      .execute();
  }
  await database.kysely
    .updateTable('journal_subject')
    .set({ token, last_seq: last + facts.length })
    .where('id', '=', taskId)
    .execute();
}

async function guard(taskId: string): Promise<void> {
  await database.kysely
    .insertInto('device_guard')
    .values({
      device: 'QA1',
      task_id: taskId,
      scope: JSON.stringify({ kind: 'domain', domain: 'A' }),
      intended_at: new Date(0),
    })
    .execute();
}

const release = () =>
  database.kysely
    .updateTable('device_guard')
    .set({ released_at: new Date(1) })
    .execute();
const asked = { type: 'intended', at: 0, effect: { type: 'quiesce' } };
const started = { type: 'noted', at: 0, note: { type: 'started' } };
const takenOver = { type: 'takenOver', at: 0 };
const putOff = { type: 'noted', at: 0, note: { type: 'putOff' }, putOffMs: 1000 };
const leftQuiesced = 'DEVICE_LEFT_QUIESCED device QA1';

describe('a device that is quiesced', () => {
  it('by a task that goes on is no alarm', async () => {
    await guard(await startTask(await startNode(), [asked]));
    await look();
    expect(await shown('all')).toEqual([]);
  });

  it('is one alarm from when its task gave up until it was seen running, however often it is looked', async () => {
    await guard(await startTask(await startNode(), [asked]));
    await database.kysely
      .updateTable('device_guard')
      .set({ left_at: new Date(), last_problem: 'Nobody answers.' })
      .execute();
    await look();
    const [first] = await list();
    expect(first).toMatchObject({
      code: 'DEVICE_LEFT_QUIESCED',
      subject: { kind: 'device', name: 'QA1' },
      lastProblem: 'Nobody answers.',
      acknowledgement: null,
    });
    expect(first?.sentence).toMatch(
      /^Since 1970-01-01T00:00:00Z QA1\/A is, or may be, quiesced by Stillpoint; /,
    );
    await database.kysely.updateTable('device_guard').set({ last_problem: 'It refuses.' }).execute();
    await look();
    const [second, ...rest] = await list();
    expect(rest).toEqual([]);
    expect(second).toMatchObject({ id: first?.id, openedAt: first?.openedAt, lastProblem: 'It refuses.' });
    await release();
    await look();
    expect(await shown()).toEqual([]);
    expect(await shown('all')).toEqual([`${leftQuiesced} closed`]);
  });

  it('is an alarm when its task has ended', async () => {
    await guard(await startTask(await startNode(), [asked]));
    await database.kysely.updateTable('task').set({ status: 'FAILED' }).execute();
    await look();
    expect(await shown()).toEqual([`${leftQuiesced} open`]);
  });

  it('is an alarm from when its node fell silent, and also after the take-over, until it is undone', async () => {
    const [dead, living] = [await startNode(), await startNode()];
    const taskId = await startTask(dead, [asked]);
    await guard(taskId);
    await silence(dead);
    await look();
    expect(await shown()).toContain(`${leftQuiesced} open`);
    await database.kysely.updateTable('journal_subject').set({ node_id: living }).execute();
    await database.kysely
      .insertInto('journal_fact')
      .values({ subject_id: taskId, seq: 2, body: JSON.stringify(takenOver) })
      .execute();
    await look();
    expect(await shown()).toEqual([`${leftQuiesced} open`]);
    await release();
    await look();
    expect(await shown('all')).toContain(`${leftQuiesced} closed`);
  });

  it('by a task that was taken over before it asked for that is no alarm', async () => {
    await guard(await startTask(await startNode(), [takenOver, asked]));
    await look();
    expect(await shown()).toEqual([]);
  });

  it('by a later attempt of a task that was put off is no alarm, until that is taken over', async () => {
    const taskId = await startTask(await startNode(), [asked, putOff, takenOver, asked]);
    await guard(taskId);
    await look();
    expect(await shown()).toEqual([]);
    await proceed(taskId, 2, [takenOver]);
    await look();
    expect(await shown()).toEqual([`${leftQuiesced} open`]);
  });

  it('that is left again later is another alarm', async () => {
    for (const _ of [1, 2]) {
      await guard(await startTask(await startNode(), [asked]));
      await database.kysely.updateTable('device_guard').set({ left_at: new Date() }).execute();
      await look();
      await release();
      await look();
    }
    expect(await shown('all')).toEqual([`${leftQuiesced} closed`, `${leftQuiesced} closed`]);
  });
});

describe('a node that fell silent', () => {
  it('is an alarm while it holds work, and none once that was taken over', async () => {
    const [dead, living] = [await startNode(), await startNode()];
    await silence(dead);
    await look();
    expect(await shown()).toEqual([]);
    await startTask(dead);
    await look();
    expect(await shown()).toEqual([`NODE_NOT_HEARD_OF node ${dead} open`]);
    expect((await list())[0]?.sentence).toContain('holds 1 runs and tasks');
    await database.kysely.updateTable('journal_subject').set({ node_id: living }).execute();
    await look();
    expect(await shown()).toEqual([]);
  });

  it('is no alarm when it said that it stops', async () => {
    const node = await startNode();
    await startTask(node);
    await silence(node);
    await database.kysely.updateTable('node').set({ stopped_at: new Date() }).execute();
    await look();
    expect(await shown()).toEqual([]);
  });
});

describe('a task that is parked', () => {
  const problem = 'It met an error of the kind TypeError.';

  it('is an alarm while its node says so, and its device too if it is quiesced', async () => {
    const taskId = await startTask(await startNode(), [asked]);
    await guard(taskId);
    await look([{ subjectId: taskId, token: 1, problem }]);
    await look([{ subjectId: taskId, token: 1, problem }]);
    expect((await shown()).sort()).toEqual([`${leftQuiesced} open`, `TASK_PARKED task ${taskId} open`]);
    expect((await list()).find(({ code }) => code === 'TASK_PARKED')).toMatchObject({ lastProblem: problem });
  });

  it('is believed of another node for half a minute', async () => {
    const taskId = await startTask(await startNode());
    await look([{ subjectId: taskId, token: 1, problem }]);
    await look([], 'host-2');
    expect(await shown()).toHaveLength(1);
    await sql`update alarm set last_seen_at = last_seen_at - interval '31 s'`.execute(database.kysely);
    await look([], 'host-2');
    expect(await shown()).toEqual([]);
  });

  it('is no alarm any more when its own node no longer says so', async () => {
    const taskId = await startTask(await startNode());
    await look([{ subjectId: taskId, token: 1, problem }]);
    await look();
    expect(await shown()).toEqual([]);
  });

  it('is no alarm any more once it goes on, whoever still says so; to be taken over or told is not yet that', async () => {
    const taskId = await startTask(await startNode());
    const said = [{ subjectId: taskId, token: 1, problem }];
    await look(said);
    await proceed(taskId, 2, [takenOver, { type: 'told', at: 0 }]);
    await look(said);
    await look([], 'host-2');
    expect(await shown()).toEqual([`TASK_PARKED task ${taskId} open`]);
    await proceed(taskId, 2, [started, asked]);
    await guard(taskId);
    await look([], 'host-2');
    expect(await shown()).toEqual([]);
    await look(said);
    expect(await shown()).toEqual([]);
  });

  it('and went on before anybody could say so is none', async () => {
    const taskId = await startTask(await startNode());
    await proceed(taskId, 2, [started]);
    await look([{ subjectId: taskId, token: 1, problem }]);
    expect(await shown('all')).toEqual([]);
  });

  it('and is parked again later is one again', async () => {
    const taskId = await startTask(await startNode());
    await look([{ subjectId: taskId, token: 1, problem }]);
    await proceed(taskId, 2, [takenOver, started]);
    await look([{ subjectId: taskId, token: 2, problem }]);
    expect(await shown()).toEqual([`TASK_PARKED task ${taskId} open`]);
    await proceed(taskId, 3, [takenOver]);
    await look([], 'host-2');
    expect(await shown()).toHaveLength(1);
  });

  it('is no alarm any more once it has ended', async () => {
    const taskId = await startTask(await startNode());
    await look([{ subjectId: taskId, token: 1, problem }]);
    await database.kysely.updateTable('journal_subject').set({ is_ended: true }).execute();
    await look([{ subjectId: taskId, token: 1, problem }]);
    expect(await shown()).toEqual([]);
  });
});

describe('the alarms', () => {
  it('opened by nodes that look at the same moment are one', async () => {
    await guard(await startTask(await startNode(), [takenOver]));
    await database.kysely.updateTable('device_guard').set({ left_at: new Date() }).execute();
    await Promise.all([look(), look(), look(), look()]);
    await look();
    expect(await shown('all')).toEqual([`${leftQuiesced} open`]);
  });

  it('are opened by what is true once the turn has come, and not by what was before', async () => {
    await guard(await startTask(await startNode(), [asked]));
    await database.kysely.updateTable('device_guard').set({ left_at: new Date() }).execute();
    let queries = 0;
    const slow = database.kysely.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        queries += 1;
        // Whoever had the turn before closed it in the meantime.
        if (queries === 1) await release();
        return result;
      },
    });
    await lookForAlarms(slow, 'host-1', []);
    expect(await shown('all')).toEqual([]);
  });

  it('that are acknowledged stay open, with who and why', async () => {
    await guard(await startTask(await startNode()));
    await database.kysely.updateTable('device_guard').set({ left_at: new Date() }).execute();
    await look();
    const [{ id } = { id: '' }] = await list();
    expect(await alarms.acknowledge(id, 'operator', 'no power')).toMatchObject({
      acknowledgement: { by: 'operator', note: 'no power' },
      closedAt: null,
    });
    await look();
    expect(await list()).toMatchObject([{ id, acknowledgement: { note: 'no power' } }]);
    for (const unknown of ['x', randomUUID()]) {
      expect(await alarms.acknowledge(unknown, 'operator', null)).toBeNull();
    }
  });

  it('are read page by page, newest first', async () => {
    for (const name of ['A', 'B', 'C']) {
      await database.kysely
        .insertInto('alarm')
        .values({
          id: randomUUID(),
          code: 'NODE_NOT_HEARD_OF',
          subject_kind: 'node',
          subject_name: name,
          sentence: 'It is silent.',
          opened_at: sql<Date>`clock_timestamp()`,
          last_seen_at: sql<Date>`clock_timestamp()`,
          seen_by: 'host-1',
        })
        .execute();
    }
    const first = await alarms.page({ state: 'all', limit: 2 });
    const cursor = first?.nextCursor ?? '';
    const second = await alarms.page({ state: 'all', limit: 2, cursor });
    const names = [first, second].map((page) => page?.items.map(({ subject }) => subject.name));
    expect([names, second?.nextCursor]).toEqual([[['C', 'B'], ['A']], null]);
    expect(await alarms.page({ state: 'all', limit: 2, cursor: 'x' })).toBeNull();
  });
});
