import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAppliance, Secret } from '@stillpoint/datapower';
import { type Fleet, startFleet } from '@stillpoint/simulator';
import type { KnownStore, PublishRequest } from '@stillpoint/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FromPoolOwner, ToPoolOwner } from '../testing/pool-owner.ts';
import { type FetchSource, type MoverOrder, type MoverReply, packOrder } from './mover-orders.ts';
import { openMoverPool } from './mover-pool.ts';

const FENCE_MS = 4_000;
/** After this long others take over what a node holds. */
const LEASE_MS = 10_000;
const inTime = { deadlineMs: 50_000 };
let folder: string;
let store: KnownStore;
let fleet: Fleet;
let source: FetchSource;
let owner: PoolOwner;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-frozen-'));
  store = { root: folder, requiresRemoteMount: false, expectedStoreId: null };
  fleet = await startFleet({
    devices: [{ name: 'QA1', domains: [{ name: 'default' }, { name: 'A', sizeBytes: 500_000 }] }],
  });
  const [device] = fleet.devices;
  if (device === undefined) throw new Error('the fleet is empty');
  const tls = { kind: 'pin', sha256: device.certificateSha256 } as const;
  const password = new Secret('admin-password');
  source = {
    address: { host: device.host, port: device.port, username: 'admin', password, tls },
    deadlines: {},
    expectedSerialNumber: '0000001',
  };
  owner = new PoolOwner();
  expect(codeOf(await owner.order({ kind: 'initStore', location: store }))).toBe('ok');
});

afterEach(async () => {
  await owner.end();
  await fleet.stop();
  await rm(folder, { recursive: true });
});

const codeOf = (reply: MoverReply): string => (reply.ok ? 'ok' : reply.fault.code);

const anExport = (): MoverOrder<'fetchExport'> => ({
  kind: 'fetchExport',
  store,
  source,
  taskId: 'task-1',
  domains: ['A'],
  isPersisted: true,
  comment: '',
  verifiesHashes: true,
});

function publishing(reply: MoverReply): MoverOrder<'publishBackup'> {
  if (!reply.ok) throw new Error(reply.fault.detail);
  const { file, verified } = reply.value as Extract<MoverReply<'fetchExport'>, { ok: true }>['value'];
  const device = { serialNumber: '0000001', model: null, firmwareVersion: null, firmwareBuild: null };
  const request: PublishRequest = {
    taskId: 'task-1',
    target: { kind: 'domain', domain: 'A' },
    device: { name: 'QA1', ...device },
    domains: verified.domains,
    files: [{ ...file, isPersisted: true }],
    takenAt: 0,
    completedAt: 1,
    timeZone: 'UTC',
    stillpointVersion: '0.1.0',
  };
  return { kind: 'publishBackup', store, request };
}

test('a download ends while the server that ordered it stands still, and after that nothing is sent or published', async () => {
  const fetched = await owner.order(anExport());
  expect(codeOf(fetched)).toBe('ok');
  fleet.orderFault({ kind: 'trickle', operation: 'do-backup', bytes: 100, everyMs: 20 });
  const arrived = once(fleet.events, 'arrival');
  const going = owner.order(anExport());
  await arrived;
  const gone = fleet.nextRequest(({ operation }) => operation === 'do-backup');
  const frozenAt = performance.now();
  owner.standStill();
  await gone;
  expect(performance.now() - frozenAt).toBeLessThan(LEASE_MS);
  const { length } = fleet.log;

  owner.goOn();
  expect(codeOf(await going)).toBe('NODE_MAY_NOT_ACT');
  expect(codeOf(await owner.order(anExport()))).toBe('NODE_MAY_NOT_ACT');
  expect(codeOf(await owner.order(publishing(fetched)))).toBe('NODE_MAY_NOT_ACT');
  expect(codeOf(await owner.order({ kind: 'checkStore', store, minFreePercent: 0 }))).toBe('ok');
  expect(fleet.log).toHaveLength(length);
  expect(await readdir(folder)).toEqual(['.stillpoint']);

  owner.renew();
  const again = await owner.order(anExport());
  expect(codeOf(again)).toBe('ok');
  expect(codeOf(await owner.order(publishing(again)))).toBe('ok');
});

test('a mover that was frozen with its server asks for no further file when it wakes up', async () => {
  const directoryUrl = 'temporary:///sb-1';
  const appliance = openAppliance(source.address);
  const order = {
    certificate: 'dr-cert',
    destination: directoryUrl,
    includesIscsi: false,
    includesRaid: false,
  };
  expect(await appliance.createSecureBackup(order)).toMatchObject({ ok: true });
  await appliance.close();
  // The second file comes late, so that the movers are frozen before it and find it in their hands when they wake up.
  fleet.orderFault({ kind: 'delay', operation: 'get-file', delayMs: 1_000, skip: 1 });
  let arrivals = 0;
  const second = new Promise<void>((resolve) => {
    fleet.events.on('arrival', () => {
      arrivals += 1;
      if (arrivals === 2) resolve();
    });
  });
  const movers = await owner.processes();
  const going = owner.order({ kind: 'fetchSecureBackup', store, source, taskId: 'task-1', directoryUrl });
  await second;
  const fetching = (await owner.processes()).filter((processId) => !movers.includes(processId));
  const served = fleet.nextRequest(({ operation }) => operation === 'get-file');
  const frozenAt = performance.now();
  owner.standStill();
  for (const processId of fetching) process.kill(processId, 'SIGSTOP');
  await served;
  await expect.poll(() => performance.now() - frozenAt, { timeout: 20_000 }).toBeGreaterThan(FENCE_MS);
  for (const processId of fetching) process.kill(processId, 'SIGCONT');
  owner.goOn();
  expect(codeOf(await going)).toBe('NODE_MAY_NOT_ACT');
  expect(fetching).toHaveLength(1);
  expect(arrivals).toBe(2);
});

/** A server that may act for so many milliseconds each time it is asked, and for none at the end. */
function mayActFor(...leftMs: readonly number[]): () => number {
  const left = [...leftMs];
  return () => left.shift() ?? 0;
}

/** So short that it is over before a mover has read of it. */
const TOO_SHORT_MS = 0.001;

test('an order that reaches its mover too late is not carried out, and one that would is not given', async () => {
  const fetched = await owner.order(anExport());
  const { length } = fleet.log;
  for (const leftMs of [[], [TOO_SHORT_MS]]) {
    const discarding: MoverOrder = { kind: 'discardBackup', store, taskId: 'task-1' };
    for (const order of [anExport(), publishing(fetched), discarding]) {
      const pool = openMoverPool({ size: 1, shortSize: 1, mayActForMs: mayActFor(...leftMs) });
      try {
        const fault = { code: 'NODE_MAY_NOT_ACT', effect: 'none', retryable: true };
        expect(await pool.order(order, inTime)).toMatchObject({ ok: false, fault });
      } finally {
        await pool.close();
      }
    }
  }
  expect(fleet.log).toHaveLength(length);
  expect(await readdir(folder)).toEqual(['.stillpoint']);
  expect(codeOf(await owner.order(publishing(fetched)))).toBe('ok');
});

test('an order that reaches its mover too late again and again is given anew while the server may act', async () => {
  const late = Array.from({ length: 20 }, () => TOO_SHORT_MS);
  const pool = openMoverPool({ size: 1, shortSize: 1, mayActForMs: mayActFor(...late, 60_000) });
  try {
    expect(codeOf(await pool.order(anExport(), inTime))).toBe('ok');
  } finally {
    await pool.close();
  }
});

test('a mover that stood still while its server went on hears first that it may act, and goes on', async () => {
  fleet.orderFault({ kind: 'trickle', operation: 'do-backup', bytes: 20_000, everyMs: 50 });
  const movers = await owner.processes();
  const arrived = once(fleet.events, 'arrival');
  const going = owner.order(anExport());
  await arrived;
  const fetching = (await owner.processes()).filter((processId) => !movers.includes(processId));
  for (const processId of fetching) process.kill(processId, 'SIGSTOP');
  const frozenAt = performance.now();
  await expect.poll(() => performance.now() - frozenAt, { timeout: 20_000 }).toBeGreaterThan(FENCE_MS);
  for (const processId of fetching) process.kill(processId, 'SIGCONT');
  expect(codeOf(await going)).toBe('ok');
  expect(fleet.log.filter(({ operation }) => operation === 'do-backup')).toHaveLength(1);
});

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

/** A process that has movers, and is told that it may act until it is frozen. */
class PoolOwner {
  readonly #child: ChildProcess;
  #renewing: NodeJS.Timeout | undefined;
  #number = 0;

  constructor() {
    const entry = fileURLToPath(new URL('../testing/pool-owner.ts', import.meta.url));
    this.#child = fork(entry, [String(FENCE_MS)], { execArgv: [], serialization: 'advanced' });
    this.renew();
  }

  async order(order: MoverOrder): Promise<MoverReply> {
    this.#number += 1;
    const number = this.#number;
    this.#say({ kind: 'order', number, order: packOrder(order) });
    const answer = await this.#hear((message) => message.kind === 'reply' && message.number === number);
    return (answer as Extract<FromPoolOwner, { kind: 'reply' }>).reply;
  }

  async processes(): Promise<readonly number[]> {
    this.#say({ kind: 'tellProcesses' });
    const answer = await this.#hear(({ kind }) => kind === 'processes');
    return (answer as Extract<FromPoolOwner, { kind: 'processes' }>).ids;
  }

  /** Says that it may act, from now on again and again. */
  renew(): void {
    this.#say({ kind: 'renew' });
    this.#renewing = setInterval(() => this.#say({ kind: 'renew' }), 200);
  }

  standStill(): void {
    clearInterval(this.#renewing);
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it, and with it its movers. */
  async end(): Promise<void> {
    clearInterval(this.#renewing);
    const exited = once(this.#child, 'exit');
    this.goOn();
    const movers = await this.processes();
    this.#child.disconnect();
    await exited;
    await expect.poll(() => movers.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  }

  #say(message: ToPoolOwner): void {
    this.#child.send(message);
  }

  #hear(isMeant: (message: FromPoolOwner) => boolean): Promise<FromPoolOwner> {
    return new Promise((resolve) => {
      const listen = (message: FromPoolOwner): void => {
        if (!isMeant(message)) return;
        this.#child.off('message', listen);
        resolve(message);
      };
      this.#child.on('message', listen);
    });
  }
}
