import { lookup } from 'node:dns/promises';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { Secret } from '../../packages/datapower/src/index.ts';
import {
  type MoverOrder,
  type MoverPool,
  type MoverReply,
  openMoverPool,
} from '../../packages/server/src/index.ts';
import { type Fleet, startFleet } from '../../packages/simulator/src/index.ts';
import type { KnownStore } from '../../packages/store/src/index.ts';
import { type NetworkMount, openNetworkMount } from './testing/network-mount.ts';

const soon = { deadlineMs: 30_000 };
const expectedStoreId = null;
const cleanUps: (() => Promise<void>)[] = [];
let network: NetworkMount;
let pool: MoverPool;
let fleet: Fleet;
let store: KnownStore;

beforeEach(async () => {
  const domains = [{ name: 'A', sizeBytes: 24 * 1024 * 1024 }];
  fleet = await startFleet({ devices: [{ name: 'dp1', domains }] });
  cleanUps.push(() => fleet.stop());
  pool = openMoverPool({ size: 2 });
  cleanUps.push(() => pool.close());
  // Taken away first: its end sets free every mover that hangs in it.
  network = await openNetworkMount();
  cleanUps.push(() => network[Symbol.asyncDispose]());
  store = { root: network.mountPoint, requiresRemoteMount: true, expectedStoreId };
  expect(codeOf(await pool.order({ kind: 'initStore', location: store }, soon))).toBe('ok');
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  expect(pool.processIds()).toEqual([]);
});

function codeOf(reply: MoverReply): string {
  return reply.ok ? 'ok' : reply.fault.code;
}

const checking = (what = store): MoverOrder<'checkStore'> => ({
  kind: 'checkStore',
  store: what,
  minFreePercent: 0,
});

function fetching(): MoverOrder<'fetchExport'> {
  const [device] = fleet.devices;
  if (device === undefined) throw new Error('the fleet has no device');
  const { host, port, certificateSha256 } = device;
  return {
    kind: 'fetchExport',
    store,
    source: {
      address: {
        host,
        port,
        username: 'admin',
        password: new Secret('admin-password'),
        tls: { kind: 'pin', sha256: certificateSha256 },
      },
      deadlines: {},
      expectedSerialNumber: '0000001',
    },
    taskId: 'task-1',
    domains: ['A'],
    isPersisted: true,
    comment: '',
    verifiesHashes: true,
  };
}

/** Resolves once the server of the store has received some of the download. */
async function arrives(): Promise<void> {
  const file = join(network.served, '.stillpoint', 'incoming', 'task-1', 'export', 'persisted.zip');
  const sizeBytes = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  await expect.poll(sizeBytes, { timeout: 20_000, interval: 10 }).toBeGreaterThan(1024 * 1024);
}

let looks = 0;

/** To be called when the mount is away: whatever lies at its place then lies on the root disk. */
function expectNothingOnRootDisk(): void {
  looks += 1;
  expect(readdirSync(network.mountPoint)).toEqual([]);
}

afterAll(() =>
  console.log(`R-06 downloads: ${looks} looks at a mount that was pulled: 0 bytes on the root disk`),
);

it('a download into a network mount goes on into it when it is unmounted, and is not published beside it', async () => {
  fleet.device('dp1').orderFault({ kind: 'trickle', bytes: 128 * 1024, everyMs: 5 });
  const downloading = pool.order(fetching(), soon);
  await arrives();
  network.unmount();
  const reply = await downloading;
  expectNothingOnRootDisk();
  if (!reply.ok) throw new Error(`${reply.fault.code}: ${reply.fault.detail}`);
  const { file, verified } = reply.value;
  expect(verified.domains).toEqual(['A']);

  const publishing: MoverOrder<'publishBackup'> = {
    kind: 'publishBackup',
    store,
    request: {
      taskId: 'task-1',
      target: { kind: 'domain', domain: 'A' },
      device: {
        name: 'dp1',
        serialNumber: '0000001',
        model: null,
        firmwareVersion: null,
        firmwareBuild: null,
      },
      domains: ['A'],
      files: [{ ...file, isPersisted: true }],
      takenAt: Date.UTC(2026, 0, 1),
      completedAt: Date.UTC(2026, 0, 1),
      timeZone: 'UTC',
      stillpointVersion: '0.1.0',
    },
  };
  expect(codeOf(await pool.order(publishing, soon))).toBe('STORE_IS_NOT_MOUNTED');
  expect(codeOf(await pool.order(fetching(), soon))).toBe('STORE_IS_NOT_MOUNTED');
  expect(codeOf(await pool.order({ kind: 'discardBackup', store, taskId: 'task-1' }, soon))).toBe(
    'STORE_IS_NOT_MOUNTED',
  );
  expectNothingOnRootDisk();
  await network.mount();
  expect(codeOf(await pool.order(publishing, soon))).toBe('ok');
});

it('a download into a network mount whose connection is lost fails, and leaves nothing on the local disk', async () => {
  fleet.device('dp1').orderFault({ kind: 'trickle', bytes: 128 * 1024, everyMs: 5 });
  const downloading = pool.order(fetching(), soon);
  await arrives();
  await network.disconnect();
  network.unmount();
  expect(await downloading).toMatchObject({ ok: false, fault: { code: 'STORE_CONNECTION_LOST' } });
  expectNothingOnRootDisk();
  await network.mount();
  expect(codeOf(await pool.order(fetching(), soon))).toBe('ok');
});

it('a network mount that hangs costs its own orders their deadline, and nobody else anything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-beside-'));
  const beside: KnownStore = { root: folder, requiresRemoteMount: false, expectedStoreId };
  try {
    expect(codeOf(await pool.order({ kind: 'initStore', location: beside }, soon))).toBe('ok');
    await network.stop();
    const hanging = Array.from({ length: 6 }, () => pool.order(checking(), { deadlineMs: 700 }));
    const others = [pool.order(checking(beside), soon), pool.order(checking(beside), soon)];

    // Six calls that hung in this process would keep all four threads that look up names and files.
    expect((await lookup('localhost')).address).toMatch(/^(127\.0\.0\.1|::1)$/);
    await delay(1);
    expect((await stat(folder)).isDirectory()).toBe(true);

    expect((await Promise.all(others)).map(codeOf)).toEqual(['ok', 'ok']);
    for (const reply of await Promise.all(hanging)) {
      expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_NOT_RESPONDING', effect: 'unknown' } });
    }
    network.resume();
    expect(codeOf(await pool.order(checking(), soon))).toBe('ok');
    await expect.poll(() => pool.processIds().length, { timeout: 20_000 }).toBeLessThanOrEqual(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('a network mount that hangs in the middle of a download ends it at its deadline, and the next one goes well', async () => {
  fleet.device('dp1').orderFault({ kind: 'trickle', bytes: 128 * 1024, everyMs: 25 });
  const downloading = pool.order(fetching(), { deadlineMs: 5_000 });
  await arrives();
  await network.stop();
  expect(await downloading).toMatchObject({ ok: false, fault: { code: 'STORE_NOT_RESPONDING' } });
  expect(codeOf(await pool.order(checking(), { deadlineMs: 700 }))).toBe('STORE_NOT_RESPONDING');
  network.resume();
  expect(codeOf(await pool.order(fetching(), soon))).toBe('ok');
});
