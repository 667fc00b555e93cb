import { randomUUID } from 'node:crypto';
import type { QuiesceScope } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import type { Appliance, DomainStatus, QuiesceState, Reply } from '@stillpoint/datapower';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoredGuards } from '../adapters/stored-guards.ts';
import type { Tables } from '../adapters/tables.ts';
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
  /** Called when a look arrives, before it is answered. */
  onLook: () => void = () => undefined;

  constructor(domains: Readonly<Record<string, QuiesceState>>) {
    this.domains = new Map(Object.entries(domains));
  }

  readonly appliance = {
    readDomainStatus: async () => this.#answer(() => this.#rows()),
    unquiesceDomain: async (domain: string) => this.#unquiesce(`unquiesce ${domain}`, [domain]),
    unquiesceDevice: async () => this.#unquiesce('unquiesce device', [...this.domains.keys()]),
  } as unknown as Appliance;

  #rows(): DomainStatus[] {
    this.onLook();
    const rest = { isSaveNeeded: false, currentCommand: '', quiesceText: '' };
    return [...this.domains].map(([domain, quiesceState]) => ({ domain, quiesceState, ...rest }));
  }

  #unquiesce(action: string, domains: readonly string[]): Reply<void> {
    return this.#answer(() => {
      this.asked.push(action);
      if (!this.isStubborn) for (const domain of domains) this.domains.set(domain, 'normal');
    });
  }

  #answer<Value>(value: () => Value): Reply<Value> {
    if (!this.isAway) return { ok: true, value: value() };
    const detail = 'Nobody answers.';
    return { ok: false, fault: { code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: true, detail } };
  }
}

let database: Database<Tables>;
let devices: Map<string, PretendDevice>;
let now: number;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(async () => {
  await emptyTables(database.kysely);
  devices = new Map();
  now = ENDED_AT + SETTLE_MS;
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
    clock: { now: () => now },
  });
}

const node = randomUUID();
const { signal } = new AbortController();
const reconcile = (nodeId = node) => reconcilerOf(nodeId).reconcile(signal);

type Guarded = {
  name?: string;
  scope?: QuiesceScope;
  status?: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
};

/** A device in this state, with an open guard of a task that has ended unless told otherwise. */
async function guarded(
  domains: Readonly<Record<string, QuiesceState>>,
  { name = 'QA1', scope = ofDomain, status = 'FAILED' }: Guarded = {},
): Promise<PretendDevice> {
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
    })
    .execute();
  return device;
}

async function guards() {
  const rows = await database.kysely
    .selectFrom('device_guard')
    .select(['device', 'released_at', 'last_problem'])
    .orderBy('device')
    .execute();
  return rows.map((row) => [row.device, row.released_at?.getTime() ?? 'open', row.last_problem] as const);
}

describe('a guard without an owner', () => {
  it('is worked on until the device is seen running, and then released', async () => {
    const device = await guarded({ default: 'normal', A: 'quiesced' });
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual([['QA1', 'open', null]]);
    now += 5_000;
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual([['QA1', now, null]]);
    await reconcile();
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('outlives a device that stays away for long, with the reason beside it', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isAway = true;
    for (let day = 0; day < 30; day += 1) {
      now += 86_400_000;
      await reconcile();
    }
    expect(await guards()).toEqual([['QA1', 'open', 'Nobody answers.']]);
    device.isAway = false;
    await reconcile();
    expect(await guards()).toEqual([['QA1', 'open', null]]);
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('stays open while the device takes the request and does nothing', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await reconcile();
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A', 'unquiesce A']);
    expect(await guards()).toEqual([['QA1', 'open', null]]);
  });

  it.each(['quiescing', 'quiesced', 'unquiescing', 'error'] as const)(
    'is not released on "%s"',
    async (state) => {
      const device = await guarded({ A: state });
      device.isStubborn = true;
      await reconcile();
      expect(await guards()).toEqual([['QA1', 'open', null]]);
    },
  );

  it('is not released before a request that was lost can no longer land', async () => {
    const device = await guarded({ A: 'normal' });
    now = ENDED_AT + SETTLE_MS - 1;
    await reconcile();
    expect(await guards()).toEqual([['QA1', 'open', null]]);
    device.domains.set('A', 'quiesced');
    now += 1;
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
    await reconcile();
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('is not released by a look that was begun before that', async () => {
    const device = await guarded({ A: 'normal' });
    now = ENDED_AT + SETTLE_MS - 1;
    device.onLook = () => {
      now += 10_000;
    };
    await reconcile();
    expect(await guards()).toEqual([['QA1', 'open', null]]);
    await reconcile();
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('of a whole device is worked on by unquiescing the device, and default does not count', async () => {
    const device = await guarded({ default: 'quiesced', A: 'normal', B: 'quiesced' }, { scope: ofDevice });
    await reconcile();
    expect(device.asked).toEqual(['unquiesce device']);
    device.domains.set('default', 'error');
    await reconcile();
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('of one domain leaves what somebody else quiesced beside it alone', async () => {
    const device = await guarded({ A: 'normal', B: 'quiesced' });
    await reconcile();
    expect(device.asked).toEqual([]);
    expect(device.domains.get('B')).toBe('quiesced');
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('of a domain that was removed from the device is released', async () => {
    await guarded({ default: 'normal' });
    await reconcile();
    expect(await guards()).toEqual([['QA1', now, null]]);
  });

  it('of one device is worked on while another is away', async () => {
    const [away, there] = [
      await guarded({ A: 'quiesced' }),
      await guarded({ A: 'quiesced' }, { name: 'QA2' }),
    ];
    away.isAway = true;
    await reconcile();
    await reconcile();
    expect(there.asked).toEqual(['unquiesce A']);
    expect(await guards()).toEqual([
      ['QA1', 'open', 'Nobody answers.'],
      ['QA2', now, null],
    ]);
  });
});

it.each(['WAITING', 'RUNNING'] as const)(
  'a guard of a task that is %s is left to its task',
  async (status) => {
    const device = await guarded({ A: 'quiesced' }, { status });
    await reconcile();
    expect(device.asked).toEqual([]);
    expect(await guards()).toEqual([['QA1', 'open', null]]);
  },
);

it.each(['SUCCEEDED', 'FAILED', 'CANCELLED'] as const)(
  'a guard of a task that has %s is an orphan',
  async (status) => {
    const device = await guarded({ A: 'quiesced' }, { status });
    await reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
  },
);

describe('several nodes', () => {
  const other = randomUUID();

  it('do not work on one guard at once, until the one that began has been silent for a minute', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await reconcile(node);
    now += 60_000;
    await reconcile(other);
    expect(device.asked).toHaveLength(1);
    now += 1;
    await reconcile(other);
    expect(device.asked).toHaveLength(2);
    await reconcile(node);
    expect(device.asked).toHaveLength(2);
  });

  it('keep a guard with the one that works on it, round after round', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    for (let round = 0; round < 3; round += 1) {
      await reconcile(node);
      now += 50_000;
      await reconcile(other);
    }
    expect(device.asked).toHaveLength(3);
  });

  it('that come at the same moment leave one of them the guard', async () => {
    const device = await guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await Promise.all([node, other, randomUUID(), randomUUID()].map((nodeId) => reconcile(nodeId)));
    expect(device.asked).toEqual(['unquiesce A']);
  });
});
