import type { ParameterValue, Run } from '@stillpoint/contract';
import type { Inventory, Plan, Reply, RunSpec } from '@stillpoint/core';
import { describe, expect, it } from 'vitest';
import { RememberedDefinitions } from '../testing/remembered-definitions.ts';
import { sampleDevice } from '../testing/sample-device.ts';
import { sampleActivity, samplePlan } from '../testing/sample-plan.ts';
import type { Application, Outcome } from './application.ts';
import { createApplication } from './create-application.ts';
import type { DeviceFindings, Fleet, History, ScriptFolder, Store, StoreStatus } from './ports.ts';

const NOW = Date.UTC(2026, 2, 29, 12);
const status: StoreStatus = { fileSystem: 'nfs4', freeBytes: 500, totalBytes: 1000, freePercent: 50 };
const counters = {
  devices: 0,
  domains: 0,
  waiting: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

const faultOf = (code: string, detail = 'It failed.') =>
  ({ ok: false, fault: { code, effect: 'none', retryable: false, detail } }) as const;

// What has a test file of its own.
const unused = {} as never;
const unusedScripts: ScriptFolder = unused;

/** A world in memory, any part of which may be exchanged. */
class World {
  definitions = new RememberedDefinitions({
    parameters: { 'store.path': '/mnt/backups' },
    devices: [
      sampleDevice(),
      sampleDevice({ name: 'QA2', tls: { system: true } }),
      sampleDevice({ name: 'DEV1' }),
    ],
    plans: [samplePlan()],
  });
  inventories: Record<string, Inventory> = {};
  findings: DeviceFindings = { firmware: faultOf('DEVICE_UNREACHABLE') };
  checked: Reply<StoreStatus> = { ok: true, value: status };
  initialised: Reply<null> = { ok: true, value: null };
  rescanned: Awaited<ReturnType<Store['rescan']>> = faultOf('STORE_MARKER_MISSING');
  readonly queued: RunSpec[] = [];
  readonly ended = new Set<string>();

  withPlan(more: Partial<Plan>): this {
    this.definitions = new RememberedDefinitions({ plans: [samplePlan(more)], devices: [sampleDevice()] });
    return this;
  }

  withParameters(parameters: Record<string, unknown>): this {
    this.definitions = new RememberedDefinitions({
      parameters,
      plans: [samplePlan()],
      devices: [sampleDevice()],
    });
    return this;
  }

  application(): Application {
    const fleet: Fleet = {
      readInventory: async (name) => this.inventories[name] ?? { isAvailable: true, domains: [] },
      findOut: async () => this.findings,
    };
    const history: History = {
      runs: async ({ cursor }) => (cursor === 'bad' ? null : { items: [], nextCursor: null }),
      run: async (id) => this.#run(id),
      runToRepeat: async () => null,
      lastRuns: async () =>
        new Map([['nightly', { id: 'r0', status: 'FAILED', startedAt: new Date(0).toISOString() }]]),
      tasks: async (_, { cursor }) => (cursor === 'bad' ? null : { items: [], nextCursor: null }),
      task: async () => null,
      backups: async ({ cursor }) => (cursor === 'bad' ? null : { items: [], nextCursor: null }),
      guards: async () => [],
      runScripts: async () => [],
      guard: async () => null,
    };
    return createApplication({
      definitions: this.definitions,
      fleet,
      store: {
        check: async () => this.checked,
        init: async () => this.initialised,
        rescan: async () => this.rescanned,
      },
      history,
      planHistory: {
        leftOutFires: async () => new Map(),
        earlierBackups: async (places) => places.map(() => null),
        lastDurationsMs: async () => new Map(),
      },
      changedParameters: unused,
      runs: {
        queue: async (spec) => void this.queued.push(spec),
        cancel: async (id) => !this.ended.has(id),
        cancelTask: async () => false,
      },
      scripts: { ...unusedScripts, problemOf: async () => null },
      undoer: unused,
      nodes: unused,
      alarms: unused,
      notices: unused,
      notifiers: unused,
      heartbeat: unused,
      now: () => NOW,
      newRunId: () => `r${this.queued.length + 1}`,
      hostTimezone: 'UTC',
      remedyOf: (code) => `Remedy of ${code}.`,
    });
  }

  #run(id: string): Run | null {
    const spec = this.queued.find(({ runId }) => runId === id);
    if (spec === undefined) return null;
    const { plan, trigger, windowOverrideReason, queuedAt } = spec;
    const end = { reasonCode: null, sentence: null, endedAt: null, warnings: [], counters };
    const startedAt = new Date(queuedAt).toISOString();
    const more = { startedAt, status: 'QUEUED', repeatsRunId: null } as const;
    return { id, plan: plan.name, trigger, windowOverrideReason, ...more, ...end };
  }
}

const codeOf = (outcome: Outcome<unknown>): string => (outcome.ok ? 'ok' : outcome.problem.code);
const detailOf = (outcome: Outcome<unknown>): string => (outcome.ok ? '' : outcome.problem.detail);

function must<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.problem.detail);
  return outcome.value;
}

describe('what is not there', () => {
  const application = new World().application();

  it.each<[string, string, Promise<Outcome<unknown>>]>([
    ['device test', 'DEVICE_NOT_FOUND', application.testDevice('qa1')],
    ['plan show', 'PLAN_NOT_FOUND', application.getPlan('Nightly')],
    ['plan preview', 'PLAN_NOT_FOUND', application.previewPlan('none')],
    ['plan run', 'PLAN_NOT_FOUND', application.runPlan('none', {})],
    ['run show', 'RUN_NOT_FOUND', application.getRun('none')],
    ['run tasks', 'RUN_NOT_FOUND', application.listTasks('none', { limit: 1 })],
    ['run cancel', 'RUN_NOT_FOUND', application.cancelRun('none')],
    ['task show', 'TASK_NOT_FOUND', application.getTask('none')],
    ['parameter show', 'PARAMETER_NOT_FOUND', application.getParameter('store.Path')],
    ['parameter set', 'PARAMETER_NOT_FOUND', application.setParameter('toString', 1)],
  ])('%s answers %s', async (_, code, asking) => {
    const outcome = await asking;
    expect(codeOf(outcome)).toBe(code);
    expect(detailOf(outcome)).toMatch(/".+"/);
  });
});

describe('a list', () => {
  it('refuses a cursor that is not one of its own', async () => {
    const world = new World();
    const application = world.application();
    const { id } = must(await application.runPlan('nightly', {}));
    const query = { limit: 1, cursor: 'bad' };
    expect(codeOf(await application.listRuns(query))).toBe('CURSOR_NOT_VALID');
    expect(codeOf(await application.listBackups(query))).toBe('CURSOR_NOT_VALID');
    expect(codeOf(await application.listTasks(id, query))).toBe('CURSOR_NOT_VALID');
    expect(codeOf(await application.listRuns({ limit: 1 }))).toBe('ok');
  });

  it('of devices warns of a certificate that is not checked and shows no password', async () => {
    const devices = must(await new World().application().listDevices());
    expect(devices.map(({ warnings }) => warnings.length)).toEqual([1, 0, 1]);
    expect(JSON.stringify(devices)).not.toContain(sampleDevice().password);
  });
});

describe('a plan', () => {
  it.each([
    ['is disabled', { isEnabled: false }],
    ['has no activities', { activities: [] }],
  ])('that %s is not run', async (why, more) => {
    const world = new World().withPlan(more);
    const outcome = await world.application().runPlan('nightly', {});
    expect(codeOf(outcome)).toBe('PLAN_NOT_RUNNABLE');
    expect(detailOf(outcome)).toContain(why);
    expect(world.queued).toEqual([]);
  });

  it('is queued as it is now, with the reason for running outside its window', async () => {
    const world = new World();
    const run = must(await world.application().runPlan('nightly', { windowOverrideReason: 'an emergency' }));
    expect(run).toMatchObject({
      id: 'r1',
      plan: 'nightly',
      trigger: 'request',
      windowOverrideReason: 'an emergency',
    });
    expect(world.queued).toEqual([
      {
        runId: 'r1',
        plan: samplePlan(),
        trigger: 'request',
        windowOverrideReason: 'an emergency',
        queuedAt: NOW,
      },
    ]);
  });

  it('is queued also when its window is closed: the run itself is refused then', async () => {
    const world = new World().withPlan({ window: ['22:00-06:00'] });
    expect(codeOf(await world.application().runPlan('nightly', {}))).toBe('ok');
    expect(world.queued).toHaveLength(1);
  });
});

describe('a run', () => {
  it('that has ended cannot be cancelled', async () => {
    const world = new World();
    const application = world.application();
    const { id } = must(await application.runPlan('nightly', {}));
    expect(codeOf(await application.cancelRun(id))).toBe('ok');
    world.ended.add(id);
    expect(codeOf(await application.cancelRun(id))).toBe('RUN_ALREADY_ENDED');
  });
});

describe('a preview', () => {
  const previewOf = async (world: World) => must(await world.application().previewPlan('nightly'));

  it('lists the tasks as a run would make them, skipped ones with their reason', async () => {
    const world = new World();
    const domains = [
      { name: 'DOMAIN1', isApiConnect: false },
      { name: 'DOMAIN2', isApiConnect: true },
    ];
    world.inventories = {
      QA1: { isAvailable: true, domains },
      QA2: { isAvailable: false, detail: 'It is down.' },
    };
    const { refusal, tasks, warnings } = await previewOf(world);
    expect(refusal).toBeNull();
    expect(tasks.map(({ device, domain, reasonCode }) => [device, domain, reasonCode])).toEqual([
      ['QA1', 'DOMAIN1', null],
      ['QA1', 'DOMAIN2', 'SKIPPED_APIC_DOMAIN'],
      ['QA2', 'DOMAIN*', 'SKIPPED_DEVICE_NOT_AVAILABLE'],
    ]);
    expect(tasks.map((task) => task.status)).toEqual(['WAITING', 'SKIPPED', 'SKIPPED']);
    expect(warnings).toEqual(['The certificate of QA1 is not checked (tls: insecure).']);
    expect(world.queued).toEqual([]);
  });

  it.each<[string, () => World]>([
    ['BACKUPS_ARE_DISABLED', () => new World().withParameters({ 'backups.enabled': false })],
    ['PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW', () => new World().withPlan({ window: ['22:00-06:00'] })],
    [
      'PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW',
      () => new World().withPlan({ blackoutDates: ['2026-03-29'] }),
    ],
    ['PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT', () => new World().withPlan({ window: ['25:00-26:00'] })],
    [
      'PRE_VALIDATION_STORE_IS_NOT_MOUNTED',
      () => Object.assign(new World(), { checked: faultOf('STORE_MARKER_MISSING') }),
    ],
    ['STORE_NOT_RESPONDING', () => Object.assign(new World(), { checked: faultOf('STORE_NOT_RESPONDING') })],
    [
      'PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE',
      () => Object.assign(new World(), { checked: { ok: true, value: { ...status, freePercent: 9.9 } } }),
    ],
  ])('tells of the check that would refuse the run: %s', async (code, make) => {
    const { refusal } = await previewOf(make());
    expect(refusal?.code).toBe(code);
    expect(refusal?.sentence).toContain(`Remedy of ${code}.`);
  });

  it('tells the first check that says no, as a run would', async () => {
    const world = new World().withParameters({ 'backups.enabled': false });
    world.checked = faultOf('STORE_MARKER_MISSING');
    expect((await previewOf(world)).refusal?.code).toBe('BACKUPS_ARE_DISABLED');
  });

  it('also of a pattern that matches nothing has its one task', async () => {
    const world = new World().withPlan({ activities: [{ ...sampleActivity, devices: 'PROD*' }] });
    expect((await previewOf(world)).tasks).toMatchObject([
      { device: 'PROD*', reasonCode: 'SKIPPED_NO_DEVICES_MATCHING_PATTERN' },
    ]);
  });
});

describe('a parameter', () => {
  it('that was not set shows its default, one that was set its value', async () => {
    const application = new World().application();
    expect(must(await application.getParameter('devices.parallel'))).toMatchObject({
      value: 16,
      defaultValue: 16,
    });
    expect(must(await application.getParameter('store.path'))).toMatchObject({
      value: '/mnt/backups',
      defaultValue: null,
    });
    expect(must(await application.listParameters()).map(({ name }) => name)).toContain('queue.maxHours');
  });

  it('is set, and a list of windows is one text', async () => {
    const world = new World();
    const set = await world.application().setParameter('window.default', ['22:00-06:00', '12:00-13:00']);
    expect(must(set).value).toBe('22:00-06:00,12:00-13:00');
    expect(world.definitions.saves).toBe(1);
  });

  it.each<[string, ParameterValue]>([
    ['devices.parallel', 0],
    ['devices.parallel', '16'],
    ['backups.enabled', 'true'],
    ['store.path', 'relative'],
    ['timezone', 'Mars/Olympus'],
    ['window.default', ['22:00-22:00']],
    ['quiesce.timeoutSeconds', 59],
  ])('%s refuses %j and keeps the old value', async (name, value) => {
    const world = new World();
    const outcome = await world.application().setParameter(name, value);
    expect(codeOf(outcome)).toBe('PARAMETER_REFUSED');
    expect(detailOf(outcome)).toContain(name);
    expect(world.definitions.saves).toBe(0);
  });
});

describe('the store', () => {
  it('is usable when it is there and has room', async () => {
    expect(must(await new World().application().getStore())).toEqual({
      path: '/mnt/backups',
      isUsable: true,
      isInitialised: true,
      isRemoteMount: true,
      fileSystem: 'nfs4',
      totalBytes: 1000,
      freeBytes: 500,
      problems: [],
    });
  });

  it('that is nearly full is there but not usable', async () => {
    const world = new World();
    world.checked = { ok: true, value: { ...status, freePercent: 9.94 } };
    const store = must(await world.application().getStore());
    expect(store).toMatchObject({ isUsable: false, isInitialised: true });
    const sentence = 'The store has 9.9 % free, less than the 10 % asked for.';
    const code = 'NOT_ENOUGH_FREE_SPACE_IN_STORE';
    expect(store.problems).toEqual([{ code, sentence, remedy: `Remedy of ${code}.` }]);
  });

  it('that cannot be looked at says why and what to do', async () => {
    const world = new World();
    world.checked = faultOf('STORE_MARKER_DIFFERS', 'It is another.');
    const store = must(await world.application().getStore());
    expect(store).toMatchObject({ isUsable: false, isInitialised: false, freeBytes: null });
    expect(store.problems).toEqual([
      { code: 'STORE_MARKER_DIFFERS', sentence: 'It is another.', remedy: 'Remedy of STORE_MARKER_DIFFERS.' },
    ]);
  });

  it('is neither set up nor read again before its path is set', async () => {
    const application = new World().withParameters({}).application();
    expect(codeOf(await application.initStore())).toBe('STORE_PATH_NOT_SET');
    expect(codeOf(await application.rescanStore())).toBe('STORE_PATH_NOT_SET');
  });

  it('that refuses says why; one that hangs is told apart', async () => {
    const world = new World();
    world.initialised = faultOf('STORE_IS_NOT_MOUNTED', 'It is local.');
    const refused = await world.application().initStore();
    expect(codeOf(refused)).toBe('STORE_NOT_USABLE');
    expect(detailOf(refused)).toBe('It is local. Remedy of STORE_IS_NOT_MOUNTED.');
    world.initialised = faultOf('STORE_NOT_RESPONDING');
    expect(codeOf(await world.application().initStore())).toBe('STORE_NOT_RESPONDING');
    world.rescanned = faultOf('STORE_NOT_RESPONDING');
    expect(codeOf(await world.application().rescanStore())).toBe('STORE_NOT_RESPONDING');
  });

  it('that was read again tells what changed', async () => {
    const world = new World();
    const counts = { manifestsRead: 3, backupsAdded: 1, backupsUnchanged: 2, backupsMissing: 4 };
    world.rescanned = { ok: true, value: { ...counts, problems: [{ path: 'x', detail: 'It is unknown.' }] } };
    expect(must(await world.application().rescanStore())).toEqual({
      ...counts,
      backupsDamaged: 0,
      problems: [{ path: 'x', sentence: 'It is unknown.' }],
    });
  });
});
