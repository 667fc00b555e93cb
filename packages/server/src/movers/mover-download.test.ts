import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAppliance, Secret } from '@stillpoint/datapower';
import { type Fleet, startFleet } from '@stillpoint/simulator';
import type { KnownStore, PublishRequest } from '@stillpoint/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FetchSource, MoverReply } from './mover-orders.ts';
import { type MoverPool, openMoverPool } from './mover-pool.ts';

const inTime = { deadlineMs: 50_000 };
let folder: string;
let store: KnownStore;
let pool: MoverPool;
let fleet: Fleet;
let source: FetchSource;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-download-'));
  store = { root: folder, requiresRemoteMount: false, expectedStoreId: null };
  pool = openMoverPool({ size: 1, shortSize: 1 });
  await pool.order({ kind: 'initStore', location: store }, inTime);
  fleet = await startFleet({
    devices: [{ name: 'QA1', domains: [{ name: 'default' }, { name: 'A', sizeBytes: 2_000_000 }] }],
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
});

afterEach(async () => {
  await pool.close();
  await fleet.stop();
  await rm(folder, { recursive: true });
});

function must<T>(reply: { ok: true; value: T } | Extract<MoverReply, { ok: false }>): T {
  if (!reply.ok) throw new Error(`${reply.fault.code}: ${reply.fault.detail}`);
  return reply.value;
}

function requestOf(parts: Pick<PublishRequest, 'taskId' | 'target' | 'domains' | 'files'>): PublishRequest {
  const device = {
    name: 'QA1',
    serialNumber: '0000001',
    model: null,
    firmwareVersion: null,
    firmwareBuild: null,
  };
  return { ...parts, device, takenAt: 0, completedAt: 1, timeZone: 'UTC', stillpointVersion: '0.1.0' };
}

test('an export goes from the appliance to its published path, and is found there by a rescan', async () => {
  const heard: number[] = [];
  const order = { store, source, taskId: 'task-1', domains: ['A'], comment: 'nightly', verifiesHashes: true };
  const options = { ...inTime, onProgress: ({ bytes }: { bytes: number }) => heard.push(bytes) };
  const fetched = must(await pool.order({ ...order, kind: 'fetchExport', isPersisted: true }, options));
  expect(fetched.verified.checkedHashes).toBeGreaterThan(0);
  expect(heard.length).toBeGreaterThan(0);
  const request = requestOf({
    taskId: 'task-1',
    target: { kind: 'domain', domain: 'A' },
    domains: fetched.verified.domains,
    files: [{ ...fetched.file, isPersisted: true }],
  });
  const manifest = must(await pool.order({ kind: 'publishBackup', store, request }, inTime));
  const [file] = manifest.files;
  expect(file?.path).toBe('QA1/domain/A/A-export-1970-01-01-00-00-00-000-persisted.zip');
  const hashed = must(await pool.order({ kind: 'hashFile', store, path: file?.path ?? '' }, inTime));
  expect(hashed.sha256).toBe(fetched.file.sha256);
  const part = {
    kind: 'readFilePart',
    store,
    path: file?.path ?? '',
    offsetBytes: 0,
    lengthBytes: 2,
  } as const;
  expect(Buffer.from(must(await pool.order(part, inTime))).toString()).toBe('PK');
  const report = must(await pool.order({ kind: 'rescan', store, checksHashes: true }, inTime));
  expect(report).toEqual({ backups: [manifest], problems: [] });
  must(await pool.order({ kind: 'discardBackup', store, taskId: 'task-1' }, inTime));
  const after = must(await pool.order({ kind: 'rescan', store, checksHashes: true }, inTime));
  expect(after).toEqual({ backups: [], problems: [] });
});

test('an export of all domains holds what the device showed', async () => {
  const order = {
    kind: 'fetchExport',
    store,
    source,
    taskId: 'task-1',
    comment: '',
    verifiesHashes: true,
  } as const;
  const fetch = (allDomains: string[]) =>
    pool.order({ ...order, domains: { allDomains }, isPersisted: false }, inTime);
  expect(must(await fetch(['default', 'A'])).verified.domains.toSorted()).toEqual(['A', 'default']);
  expect(await fetch(['default', 'A', 'B'])).toMatchObject({
    ok: false,
    fault: { code: 'EXPORT_WRONG_DOMAINS' },
  });
});

test('a secure backup goes from its directory on the appliance to its published folder', async () => {
  const appliance = openAppliance(source.address);
  const directoryUrl = 'temporary:///sb-1';
  const secureBackup = {
    certificate: 'dr-cert',
    destination: directoryUrl,
    includesIscsi: false,
    includesRaid: false,
  };
  expect(await appliance.createSecureBackup(secureBackup)).toMatchObject({ ok: true });
  await appliance.close();
  const order = { kind: 'fetchSecureBackup', store, source, taskId: 'task-1', directoryUrl } as const;
  const fetched = must(await pool.order(order, inTime));
  const request = requestOf({
    taskId: 'task-1',
    target: { kind: 'secure-backup' },
    domains: [],
    files: fetched.files.map((file) => ({ ...file, isPersisted: null })),
  });
  const manifest = must(await pool.order({ kind: 'publishBackup', store, request }, inTime));
  expect(manifest.files).toHaveLength(fetched.manifest.files.length + 1);
  const report = must(await pool.order({ kind: 'rescan', store, checksHashes: true }, inTime));
  expect(report).toEqual({ backups: [manifest], problems: [] });
});

test('a login that the device refuses is told as such, and the password is not in the answer', async () => {
  const address = { ...source.address, password: new Secret('planted-wrong-password') };
  const order = {
    store,
    taskId: 'task-1',
    domains: ['A'],
    isPersisted: true,
    comment: '',
    verifiesHashes: true,
  };
  const reply = await pool.order({ ...order, kind: 'fetchExport', source: { ...source, address } }, inTime);
  expect(reply).toMatchObject({ ok: false, fault: { code: 'AUTHENTICATION_FAILED' } });
  expect(JSON.stringify(reply)).not.toContain('planted-wrong-password');
});
