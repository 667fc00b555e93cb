import { randomUUID } from 'node:crypto';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { PlaceTaken } from '@stillpoint/engine';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { type NodeIdentity, StoredNodes } from './stored-nodes.ts';
import type { Tables } from './tables.ts';

let database: Database<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

function nodeOf(changes: Partial<NodeIdentity> = {}): StoredNodes & { readonly id: string } {
  const identity = {
    id: randomUUID(),
    name: null,
    hostName: 'host-1',
    version: '1.2.3',
    pid: 4711,
    ...changes,
  };
  return Object.assign(new StoredNodes(database.kysely, identity), { id: identity.id });
}

/** Lets time pass for what the database remembers of every node. */
async function pass(seconds: number): Promise<void> {
  const interval = sql`make_interval(secs => ${seconds})`;
  await sql`update node set heartbeat_at = heartbeat_at - ${interval}, started_at = started_at - ${interval}`.execute(
    database.kysely,
  );
}

async function hold(node: { readonly id: string }, program: 'run' | 'task', isEnded = false): Promise<void> {
  await database.kysely
    .insertInto('journal_subject')
    .values({ id: randomUUID(), program, spec: '{}', node_id: node.id, is_ended: isEnded })
    .execute();
}

const statesOf = async (node: StoredNodes) =>
  (await node.list()).map(({ name, state }) => `${name} ${state}`);

describe('a node', () => {
  it('is listed from its first beat on, with what it says of itself', async () => {
    const node = nodeOf();
    expect(await node.list()).toEqual([]);
    node.serveAt('http://127.0.0.1:7420');
    await node.beat(16);
    const [shown] = await node.list();
    expect(shown).toMatchObject({
      id: node.id,
      name: 'host-1',
      state: 'running',
      isAnswering: true,
      version: '1.2.3',
      pid: 4711,
      url: 'http://127.0.0.1:7420',
      devicesParallel: 16,
      tasksGoing: 0,
      stoppedAt: null,
      sentence: 'host-1 runs.',
    });
    expect(shown?.heartbeatAgeMs).toBeLessThan(10_000);
  });

  it('counts the tasks that it began and that have not ended', async () => {
    const node = nodeOf();
    await node.beat(16);
    await hold(node, 'task');
    await hold(node, 'task', true);
    await hold(node, 'run');
    expect((await node.list())[0]?.tasksGoing).toBe(1);
  });

  it('that was not heard of for its lease is gone, and back with its next beat', async () => {
    const [node, other] = [nodeOf(), nodeOf({ hostName: 'host-2' })];
    await node.beat(16);
    await pass(61);
    await other.beat(16);
    expect(await other.list()).toMatchObject([
      {
        name: 'host-1',
        state: 'gone',
        isAnswering: false,
        sentence: 'host-1 was not heard of for 61 s; what it did is taken over by the others.',
      },
      { name: 'host-2', state: 'running', isAnswering: true },
    ]);
    await node.beat(16);
    expect(await statesOf(node)).toEqual(['host-1 running', 'host-2 running']);
  });

  it('that stopped says so, and is not taken for gone', async () => {
    const node = nodeOf();
    await node.beat(16);
    await node.leave();
    await pass(3600);
    expect(await statesOf(node)).toEqual(['host-1 stopped']);
  });

  it('is forgotten 30 days after it was heard of last, by the next that starts', async () => {
    await nodeOf().beat(16);
    await pass(30 * 86_400 - 60);
    await nodeOf({ hostName: 'host-2' }).beat(16);
    expect(await statesOf(nodeOf())).toEqual(['host-1 gone', 'host-2 running']);
    await pass(60);
    const third = nodeOf({ hostName: 'host-3' });
    await third.beat(16);
    expect(await statesOf(third)).toEqual(['host-2 gone', 'host-3 running']);
  });

  it('that was forgotten while it was cut off takes its place again', async () => {
    const node = nodeOf();
    await node.beat(16);
    await database.kysely.deleteFrom('node').execute();
    expect(await node.beat(16)).toEqual({ isDraining: false });
    expect(await statesOf(node)).toEqual(['host-1 running']);
  });

  it('finds out that a copy of its data directory was started, and no longer beats', async () => {
    const node = nodeOf();
    await node.beat(16);
    const copy = nodeOf({ id: node.id, pid: 4712 });
    await copy.beat(16);
    await expect(node.beat(16)).rejects.toThrow(PlaceTaken);
    await expect(node.beat(16)).rejects.toThrow('Another server, process 4712,');
    await node.leave();
    expect(await statesOf(copy)).toEqual(['host-1 running']);
  });
});

describe('a node that starts', () => {
  it('holds up no beat of another, however long it takes', async () => {
    const node = nodeOf();
    await node.beat(16);
    const starting = nodeOf({ hostName: 'host-2' });
    // Somebody else is about to take the name that it wants.
    const nameTaken = Promise.withResolvers<void>();
    const rival = database.kysely.transaction().execute(async (trx) => {
      await trx.insertInto('node').values(rivalRow).execute();
      await nameTaken.promise;
    });
    const started = starting.beat(16).catch((error: unknown) => error);
    await isWaitingForLock();
    await node.beat(16);
    nameTaken.resolve();
    await rival;
    await started;
  });

  const rivalRow = {
    id: randomUUID(),
    incarnation: randomUUID(),
    name: 'host-2',
    version: '1',
    pid: 1,
    url: null,
    devices_parallel: 1,
    started_at: new Date(),
    heartbeat_at: new Date(),
    stopped_at: null,
  };

  /** Resolves when a statement on the database waits for another. */
  async function isWaitingForLock(): Promise<void> {
    for (;;) {
      const { rows } = await sql`select from pg_locks where not granted`.execute(database.kysely);
      if (rows.length > 0) return;
    }
  }
});

describe('the name of a node', () => {
  it('is told apart by the id where another runs on the same host', async () => {
    const [first, second] = [nodeOf(), nodeOf()];
    await Promise.all([first.beat(16), second.beat(16)]);
    const names = (await first.list()).map(({ name }) => name).sort();
    expect([[`host-1-${first.id.slice(0, 8)}`], [`host-1-${second.id.slice(0, 8)}`]]).toContainEqual(
      names.slice(1),
    );
    expect(names[0]).toBe('host-1');
  });

  it('that was given is refused while another node with it runs, and taken over from one that is no more', async () => {
    const first = nodeOf({ name: 'backup-1' });
    await first.beat(16);
    const second = nodeOf({ name: 'backup-1' });
    await expect(second.beat(16)).rejects.toThrow('Another node that runs has the name "backup-1"');
    await first.leave();
    await second.beat(16);
    expect(second.name).toBe('backup-1');
    expect(await statesOf(second)).toEqual(['backup-1 running']);
  });
});

describe('draining', () => {
  it('is what the next beat brings, and ends with resume', async () => {
    const node = nodeOf();
    await node.beat(16);
    expect(await node.setDraining('host-1', true)).toBe('done');
    expect(await node.beat(16)).toEqual({ isDraining: true });
    await hold(node, 'task');
    const goesOn = 'host-1 begins nothing more; of what it began, 1 task goes on.';
    expect(await node.list()).toMatchObject([{ state: 'draining', sentence: goesOn }]);
    await database.kysely.updateTable('journal_subject').set({ is_ended: true }).execute();
    const idle = 'host-1 begins nothing more and has nothing left to do; it can be stopped.';
    expect(await node.list()).toMatchObject([{ sentence: idle }]);
    expect(await node.setDraining('host-1', false)).toBe('done');
    expect(await node.beat(16)).toEqual({ isDraining: false });
  });

  it('ends with the next start', async () => {
    const node = nodeOf();
    await node.beat(16);
    await node.setDraining('host-1', true);
    await node.leave();
    expect(await nodeOf({ id: node.id }).beat(16)).toEqual({ isDraining: false });
  });

  it('is nothing for a node that has stopped, or that nobody knows', async () => {
    const node = nodeOf();
    await node.beat(16);
    await node.leave();
    expect(await node.setDraining('host-1', true)).toBe('stopped');
    expect(await node.setDraining('HOST-1', true)).toBe('unknown');
  });
});
