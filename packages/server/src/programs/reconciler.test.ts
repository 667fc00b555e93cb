import { randomUUID } from 'node:crypto';
import type { QuiesceScope } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import type { Appliance, DomainStatus, QuiesceState, Reply } from '@stillpoint/datapower';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoredGuards } from '../adapters/stored-guards.ts';
import type { Tables } from '../adapters/tables.ts';
import type { Attempt } from '../app/ports.ts';
import { emptyTables } from '../testing/empty-tables.ts';
import { sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import type { Conversation } from './conversation.ts';
import { Reconciler } from './reconciler.ts';

const SETTLE_MS = 60_000;
const ENDED_AT = Date.UTC(2026, 2, 29, 2);
const ofDomain: QuiesceScope = { kind: 'domain', domain: 'A' };
const ofDevice: QuiesceScope = { kind: 'device' };

/** A device that obeys, or is away; it notes what it was asked to do. */
class PretendDevice {
  readonly domains: Map<string, QuiesceState>;
  readonly asked: string[] = [];
  isAway = false;
  isStubborn = false;
  /** Does what it is asked, and its reply gets lost. */
  losesReplies = false;
  beforeLook: () => Promise<void> = async () => undefined;
  afterLook: () => void = () => undefined;

  constructor(domains: Readonly<Record<string, QuiesceState>>) {
    this.domains = new Map(Object.entries(domains));
  }

  readonly appliance = {
    readDomainStatus: async () => {
      await this.beforeLook();
      const rows = this.#answer(() => this.#rows());
      this.afterLook();
      return rows;
    },
    unquiesceDomain: async (domain: string) => this.#unquiesce(`unquiesce ${domain}`, [domain]),
    unquiesceDevice: async () => this.#unquiesce('unquiesce device', [...this.domains.keys()]),
  } as unknown as Appliance;

  #rows(): DomainStatus[] {
    const rest = { isSaveNeeded: false, currentCommand: '', quiesceText: '' };
    return [...this.domains].map(([domain, quiesceState]) => ({ domain, quiesceState, ...rest }));
  }

  #unquiesce(action: string, domains: readonly string[]): Reply<void> {
    const reply = this.#answer<void>(() => {
      this.asked.push(action);
      if (!this.isStubborn) for (const domain of domains) this.domains.set(domain, 'normal');
    });
    if (!this.losesReplies) return reply;
    const detail = 'The reply never came.';
    return { ok: false, fault: { code: 'CONNECTION_LOST', effect: 'unknown', retryable: true, detail } };
  }

  #answer<Value>(value: () => Value): Reply<Value> {
    if (!this.isAway) return { ok: true, value: value() };
    const detail = 'Nobody answers.';
    return { ok: false, fault: { code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: true, detail } };
  }
}

let database: Database<Tables>;
let devices: Map<string, PretendDevice>;
/** Milliseconds of the clock that counts on while a process stands still. */
let elapsed: number;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(async () => {
  await emptyTables(database.kysely);
  devices = new Map();
  elapsed = 0;
});

function talkTo(name: string): Conversation {
  const device = devices.get(name);
  if (device === undefined) throw new Error(`There is no device ${name} in this test.`);
  return {
    device: name,
    ask: (question) => question(device.appliance, {}),
    async act(action) {
      const reply = await action(device.appliance, {});
      return reply.ok ? { ok: true, value: null } : reply;
    },
  };
}

function reconcilerOf(nodeId: string): Reconciler {
  return new Reconciler({
    guards: new StoredGuards(database.kysely),
    appliances: { talkTo },
    settleMs: async () => SETTLE_MS,
    nodeId,
    clock: { elapsed: () => elapsed },
    onProblem: (error) => {
      throw error;
    },
  });
}

/** Lets time pass for all that the database remembers, and for every node. */
async function pass(ms: number): Promise<void> {
  elapsed += ms;
  const earlier = (column: string) =>
    sql`${sql.ref(column)} = ${sql.ref(column)} - make_interval(secs => ${ms / 1000})`;
  const columns = ['left_at', 'doubted_at', 'sending_at', 'next_attempt_at', 'reconciled_until'];
  await sql`update device_guard set ${sql.join(columns.map(earlier))}`.execute(database.kysely);
}

const node = randomUUID();
async function reconcile(nodeId = node): Promise<Attempt[]> {
  return Promise.all(await reconcilerOf(nodeId).reconcile());
}

type Guarded = {
  name?: string;
  scope?: QuiesceScope;
  status?: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  /** For how long it has been left to the reconciler; null when it is not. */
  leftMs?: number | null;
};

/** A device in this state, with an open guard of a task that has ended unless told otherwise; answers the device and its task. */
async function guarded(
  domains: Readonly<Record<string, QuiesceState>>,
  { name = 'QA1', scope = ofDomain, status = 'FAILED', leftMs = SETTLE_MS + 1_000 }: Guarded = {},
): Promise<PretendDevice & { taskId: string }> {
  const device = new PretendDevice(domains);
  devices.set(name, device);
  const task = sampleTask({ ...(await seedRun(database.kysely)), device: name });
  await seedTask(database.kysely, task, { status, endedAt: status === 'RUNNING' ? null : ENDED_AT });
  await database.kysely
    .insertInto('device_guard')
    .values({
      device: name,
      task_id: task.taskId,
      scope: JSON.stringify(scope),
      intended_at: new Date(ENDED_AT - 1),
      left_at: leftMs === null ? null : ago(leftMs),
    })
    .execute();
  return Object.assign(device, { taskId: task.taskId });
}

const ago = (ms: number) => sql<Date>`clock_timestamp() - make_interval(secs => ${ms / 1000})`;

/** One line per guard: the device, whether it is open, and what stands in the way. */
async function guards(): Promise<string[]> {
  const rows = await database.kysely
    .selectFrom('device_guard')
    .select(['device', 'released_at', 'last_problem'])
    .orderBy('device')
    .execute();
  return rows.map((row) =>
    [row.device, row.released_at === null ? 'open' : 'released', row.last_problem ?? []].flat().join(' '),
  );
}

async function guardId(): Promise<string> {
  const { id } = await database.kysely.selectFrom('device_guard').select('id').executeTakeFirstOrThrow();
  return String(id);
}

/** A round after the longest pause that there is between two. */
async function reconcileLater(nodeId = node): Promise<Attempt[]> {
  await pass(60_000);
  return reconcile(nodeId);
}

describe('a guard without an owner', () => {
  it('is worked on until the device is seen running, and then released', async () => {
    const device = await guarded({ default: 'normal', A: 'quiesced' });
    const seen = [{ domain: 'A', quiesceState: 'quiesced' }];
    expect(await reconcile()).toEqual([{ seen, isSent: true, isReleased: false, problem: null }]);
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual(['QA1 open']);
    await pass(5_000);
    expect(await reconcile()).toEqual([{ seen: [], isSent: false, isReleased: true, problem: null }]);
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual(['QA1 released']);
    expect(await reconcileLater()).toEqual([]);
  });

  it('outlives a device that stays away for long, with the reason beside it', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isAway = true;
    for (let day = 0; day < 30; day += 1) {
      await pass(86_400_000);
      await reconcile();
    }
    expect(await guards()).toEqual(['QA1 open Nobody answers.']);
    device.isAway = false;
    await reconcileLater();
    expect(await guards()).toEqual(['QA1 open']);
    await reconcileLater();
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual(['QA1 released']);
  });

  it('is tried less and less often while its device stays away, and at least once a minute', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isAway = true;
    const triedAtSeconds: number[] = [];
    for (let seconds = 0; seconds <= 260; seconds += 5) {
      const [attempt] = await reconcile();
      if (attempt !== undefined) triedAtSeconds.push(seconds);
      await pass(5_000);
    }
    expect(triedAtSeconds).toEqual([0, 5, 15, 35, 75, 135, 195, 255]);
  });

  it('stays open while the device takes the request and does nothing', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await reconcile();
    await reconcileLater();
    expect(device.asked).toEqual(['unquiesce A', 'unquiesce A']);
    expect(await guards()).toEqual(['QA1 open']);
  });

  it.each(['quiescing', 'quiesced', 'unquiescing', 'error'] as const)(
    'is not released on "%s"',
    async (state) => {
      const device = await guarded({ A: state });
      device.isStubborn = true;
      await reconcile();
      expect(await guards()).toEqual(['QA1 open']);
    },
  );

  it('is not released before a request of its task that was lost can no longer land', async () => {
    const device = await guarded({ A: 'normal' }, { leftMs: SETTLE_MS - 20_000 });
    await reconcile();
    expect(await guards()).toEqual(['QA1 open']);
    device.domains.set('A', 'quiesced');
    await pass(5_000);
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
    await reconcileLater();
    expect(await guards()).toEqual(['QA1 released']);
  });

  it('is not released before an unquiesce whose reply was lost can no longer land', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.losesReplies = true;
    expect(await reconcile()).toMatchObject([{ isSent: false, problem: 'The reply never came.' }]);
    await pass(30_000);
    expect(await reconcile()).toMatchObject([{ seen: [], isReleased: false, problem: null }]);
    await pass(SETTLE_MS - 20_000);
    expect(await reconcile()).toMatchObject([{ isReleased: true }]);
  });

  it('of a node that died between intent and outcome counts as one whose reply was lost', async () => {
    await guarded({ A: 'normal' });
    await database.kysely
      .updateTable('device_guard')
      .set({ sending_at: ago(1_000) })
      .execute();
    expect(await reconcile()).toMatchObject([{ isReleased: false }]);
    expect(await reconcileLater()).toMatchObject([{ isReleased: true }]);
  });

  it('is not put off for ever when the clock of the database is put back by a day', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await reconcile();
    await pass(-86_400_000);
    expect(await reconcile()).toMatchObject([{ isSent: true }]);
    device.isStubborn = false;
    await reconcileLater();
    await reconcileLater();
    await reconcileLater();
    expect(await guards()).toEqual(['QA1 released']);
  });

  it('of a whole device is worked on by unquiescing the device, and default does not count', async () => {
    const device = await guarded({ default: 'quiesced', A: 'normal', B: 'quiesced' }, { scope: ofDevice });
    await reconcile();
    expect(device.asked).toEqual(['unquiesce device']);
    device.domains.set('default', 'error');
    await reconcileLater();
    expect(await guards()).toEqual(['QA1 released']);
  });

  it('of one domain leaves what somebody else quiesced beside it alone', async () => {
    const device = await guarded({ A: 'normal', B: 'quiesced' });
    await reconcile();
    expect(device.asked).toEqual([]);
    expect(device.domains.get('B')).toBe('quiesced');
    expect(await guards()).toEqual(['QA1 released']);
  });

  it('of a domain that was removed from the device is released', async () => {
    await guarded({ default: 'normal' });
    await reconcile();
    expect(await guards()).toEqual(['QA1 released']);
  });

  it('of one device is worked on while another is away', async () => {
    const [away, there] = [
      await guarded({ A: 'quiesced' }),
      await guarded({ A: 'quiesced' }, { name: 'QA2' }),
    ];
    away.isAway = true;
    await reconcile();
    await reconcileLater();
    expect(there.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual(['QA1 open Nobody answers.', 'QA2 released']);
  });
});

describe('whose guard it is', () => {
  it.each(['WAITING', 'RUNNING'] as const)('a task that is %s keeps its own', async (status) => {
    const device = await guarded({ A: 'quiesced' }, { status, leftMs: null });
    await reconcile();
    expect(await reconcilerOf(node).workOnNow(await guardId())).toBe('busy');
    expect(device.asked).toEqual([]);
    expect(await guards()).toEqual(['QA1 open']);
  });

  it('a task that gave up undoing leaves it, though it still has a script to run', async () => {
    const device = await guarded({ A: 'quiesced' }, { status: 'RUNNING', leftMs: 0 });
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it.each(['SUCCEEDED', 'FAILED', 'CANCELLED'] as const)('a task that has %s leaves it', async (status) => {
    const device = await guarded({ A: 'quiesced' }, { status, leftMs: null });
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it.each([
    [299, [], ['unquiesce A']],
    [301, ['unquiesce A'], ['unquiesce A']],
  ])(
    'a task that has been parked for %i s: the round asks %j, an operator at once %j',
    async (seconds, asked, askedNow) => {
      const device = await guarded({ A: 'quiesced' }, { status: 'RUNNING', leftMs: null });
      await database.kysely
        .insertInto('alarm')
        .values({
          id: randomUUID(),
          code: 'TASK_PARKED',
          subject_kind: 'task',
          subject_name: device.taskId,
          sentence: 'It does not go on.',
          opened_at: ago(seconds * 1000),
          last_seen_at: ago(0),
        })
        .execute();
      await reconcile();
      expect(device.asked).toEqual(asked);
      await reconcilerOf(node).workOnNow(await guardId());
      expect(device.asked).toEqual(askedNow);
    },
  );
});

describe('unquiescing now', () => {
  it('does not wait for the pause to end', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await reconcile();
    expect(await reconcile()).toEqual([]);
    expect(await reconcilerOf(node).workOnNow(await guardId())).toMatchObject({ isSent: true });
    expect(device.asked).toHaveLength(2);
  });

  it('answers the try that goes on, and does not begin another beside it', async () => {
    const device = await guarded({ A: 'quiesced' });
    const reconciler = reconcilerOf(node);
    let asking: ReturnType<Reconciler['workOnNow']> | undefined;
    const id = await guardId();
    device.beforeLook = async () => {
      asking = reconciler.workOnNow(id);
      await Promise.race([asking, database.kysely.selectFrom('node').selectAll().execute()]);
    };
    const [attempt] = await Promise.all(await reconciler.reconcile());
    expect(await asking).toEqual(attempt);
    expect(device.asked).toEqual(['unquiesce A']);
  });
});

describe('several nodes', () => {
  const other = randomUUID();

  it('keep one pace together', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    for (let second = 0; second < 35; second += 5) {
      await reconcile(second % 10 === 0 ? node : other);
      await pass(5_000);
    }
    expect(device.asked).toHaveLength(3);
  });

  it('do not work on one guard at once, until the one that began has been silent for a minute', async () => {
    const device = await guarded({ A: 'quiesced' });
    let beside: Attempt[] = [];
    device.beforeLook = async () => {
      device.beforeLook = async () => undefined;
      await pass(59_000);
      beside = await reconcile(other);
      expect(await reconcilerOf(other).workOnNow(await guardId())).toBe('busy');
      await pass(1_001);
      beside.push(...(await reconcile(other)));
    };
    const late = await reconcile(node);
    expect(beside).toMatchObject([{ isSent: true }]);
    expect(late).toMatchObject([{ isSent: false, isReleased: false }]);
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it('leave it to the others when they stood still with a look in hand, and send nothing', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.afterLook = () => {
      elapsed += 42_001;
    };
    expect(await reconcile(node)).toMatchObject([
      { isSent: false, problem: 'This node stood still; another may be at it.' },
    ]);
    expect(device.asked).toEqual([]);
    device.afterLook = () => undefined;
    await pass(60_000);
    await reconcile(other);
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it('that come back from the dead take up at once what they held', async () => {
    const device = await guarded({ A: 'quiesced' });
    await database.kysely
      .updateTable('device_guard')
      .set({ reconciled_by: node, reconciled_until: ago(-30_000) })
      .execute();
    expect(await reconcile(node)).toEqual([]);
    await reconcilerOf(other).start();
    expect(await reconcile(node)).toEqual([]);
    await reconcilerOf(node).start();
    await reconcile(node);
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it('that come at the same moment leave one of them the guard', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await Promise.all([node, other, randomUUID(), randomUUID()].map((nodeId) => reconcile(nodeId)));
    expect(device.asked).toEqual(['unquiesce A']);
  });
});
