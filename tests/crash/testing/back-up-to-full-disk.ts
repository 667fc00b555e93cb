// Started by disk-full.test.ts in a mount namespace of its own: mounts a small disk, leaves a little more of it free each
// time, has real movers back a pretend device up to it, and prints what became of it as one line of JSON.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openAppliance, Secret } from '../../../packages/datapower/src/index.ts';
import { type MoverOrder, type MoverPool, openMoverPool } from '../../../packages/server/src/index.ts';
import { startFleet } from '../../../packages/simulator/src/index.ts';
import type { KnownStore, ReceivedFile } from '../../../packages/store/src/index.ts';
import { listStore } from './list-store.ts';
import { SmallDisk } from './small-disk.ts';
import { wordsToMount } from './under-small-disk.ts';

/** What became of all backups of a kind, one for each amount of room. */
export interface FullDiskReport {
  /** How many blocks, or files, were free the first time that a backup found room. */
  readonly enough: number;
  /** How each failed backup was told, and how often. */
  readonly codes: Readonly<Record<string, number>>;
  /** What was not as it should be: something left behind, published, or lost for good. */
  readonly wrongs: readonly string[];
  /** How many were taken again once there was room. */
  readonly takenAgain: number;
}

const [, , folder = ''] = process.argv;
const inTime = { deadlineMs: 20_000 };
const directoryUrl = 'temporary:///sb-1';
const diskBytes = 2 * 1024 * 1024;

const [command = '', ...args] = wordsToMount(folder, diskBytes, 100);
execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
const disk = new SmallDisk(folder);
const root = join(folder, 'store');
mkdirSync(root);
const store: KnownStore = { root, requiresRemoteMount: false, expectedStoreId: null };

const fleet = await startFleet({
  devices: [
    { name: 'dp1', domains: [{ name: 'A', sizeBytes: 180_000 }], secureBackup: { sizeBytes: 20_000 } },
  ],
});
const { host, port, certificateSha256 } = fleet.device('dp1').address;
const tls = { kind: 'pin', sha256: certificateSha256 } as const;
const source = {
  address: { host, port, username: 'admin', password: new Secret('admin-password'), tls },
  deadlines: {},
  expectedSerialNumber: '0000001',
};
const appliance = openAppliance(source.address);
await appliance.createSecureBackup({
  certificate: 'dr-cert',
  destination: directoryUrl,
  includesIscsi: false,
  includesRaid: false,
});
await appliance.close();

type Kind = 'export' | 'secure-backup';
const device = {
  name: 'dp1',
  serialNumber: '0000001',
  model: null,
  firmwareVersion: null,
  firmwareBuild: null,
};
const times = { takenAt: 0, completedAt: 1, timeZone: 'UTC', stillpointVersion: '0.1.0' };

async function fetched(
  pool: MoverPool,
  kind: Kind,
  taskId: string,
): Promise<readonly ReceivedFile[] | string> {
  if (kind === 'secure-backup') {
    const reply = await pool.order(
      { kind: 'fetchSecureBackup', store, source, taskId, directoryUrl },
      inTime,
    );
    return reply.ok ? reply.value.files : reply.fault.code;
  }
  const order: MoverOrder<'fetchExport'> = {
    kind: 'fetchExport',
    store,
    source,
    taskId,
    domains: ['A'],
    isPersisted: true,
    comment: '',
    verifiesHashes: true,
  };
  const reply = await pool.order(order, inTime);
  return reply.ok ? [reply.value.file] : reply.fault.code;
}

/** `ok`, or the code of what failed. */
async function backUp(pool: MoverPool, kind: Kind, taskId: string): Promise<string> {
  const files = await fetched(pool, kind, taskId);
  if (typeof files === 'string') return files;
  const isPersisted = kind === 'export' ? true : null;
  const request = {
    ...times,
    taskId,
    device,
    target: kind === 'export' ? ({ kind: 'domain', domain: 'A' } as const) : ({ kind } as const),
    domains: kind === 'export' ? ['A'] : [],
    files: files.map((file) => ({ ...file, isPersisted })),
  };
  const reply = await pool.order({ kind: 'publishBackup', store, request }, inTime);
  return reply.ok ? 'ok' : reply.fault.code;
}

async function discard(pool: MoverPool, taskId: string): Promise<string> {
  const reply = await pool.order({ kind: 'discardBackup', store, taskId }, inTime);
  return reply.ok ? 'ok' : reply.fault.code;
}

/** What is in the store besides its marker and empty folders. */
function filesLeft(): string[] {
  const { published, incoming } = listStore(root);
  return [...published, ...incoming, ...readdirSync(join(root, '.stillpoint', 'catalog'))];
}

/** A backup that is given up while nothing at all can be written. */
async function giveUpOnFullDisk(pool: MoverPool, kind: Kind): Promise<readonly string[]> {
  const taken = await backUp(pool, kind, 'task-kept');
  disk.leaveBlocks(0);
  disk.leaveNodes(0);
  const discarded = await discard(pool, 'task-kept');
  disk.empty();
  return [taken, discarded, ...filesLeft()];
}

async function backUpEverTighter(
  pool: MoverPool,
  kind: Kind,
  leave: (count: number) => void,
): Promise<FullDiskReport> {
  const codes: Record<string, number> = {};
  const wrongs: string[] = [];
  let takenAgain = 0;
  for (let count = 0; ; count += 1) {
    const taskId = `task-${count}`;
    leave(count);
    const code = await backUp(pool, kind, taskId);
    const seen = listStore(root);
    if (code === 'ok' ? seen.published.length === 0 : seen.published.length > 0)
      wrongs.push(`${count}: published`);
    if (code !== 'ok') codes[code] = (codes[code] ?? 0) + 1;
    const discarded = await discard(pool, taskId);
    const left = filesLeft();
    if (discarded !== 'ok' || left.length > 0)
      wrongs.push(`${count}: ${code}, then ${discarded} and ${left}`);
    disk.empty();
    if (code === 'ok') return { enough: count, codes, wrongs, takenAgain };
    if (count % 4 > 0) continue;
    const again = await backUp(pool, kind, taskId);
    if (again !== 'ok' || listStore(root).published.length === 0) wrongs.push(`${count}: again ${again}`);
    takenAgain += 1;
    await discard(pool, taskId);
  }
}

const pool = openMoverPool({ size: 1, shortSize: 1 });
const report: { tighter: Record<string, FullDiskReport>; givenUp: Record<string, readonly string[]> } = {
  tighter: {},
  givenUp: {},
};
try {
  await pool.order({ kind: 'initStore', location: store }, inTime);
  for (const kind of ['export', 'secure-backup'] as const) {
    // What every backup finds there already.
    await backUp(pool, kind, 'task-first');
    await discard(pool, 'task-first');
    report.tighter[`${kind} on so many blocks of 4 KiB`] = await backUpEverTighter(pool, kind, (count) =>
      disk.leaveBlocks(count),
    );
    report.tighter[`${kind} in so many files`] = await backUpEverTighter(pool, kind, (count) =>
      disk.leaveNodes(count),
    );
    report.givenUp[kind] = await giveUpOnFullDisk(pool, kind);
  }
} finally {
  await pool.close();
  await fleet.stop();
}
console.log(JSON.stringify(report));
