import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Parameters, parametersInForce, type Reply } from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import type { Manifest, PublishRequest } from '@stillpoint/store';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MoverPool, openMoverPool } from '../movers/mover-pool.ts';
import { emptyTables } from '../testing/empty-tables.ts';
import { ConfiguredStore } from './configured-store.ts';
import { insertBackup } from './insert-backup.ts';
import { StoredHistory } from './stored-history.ts';
import type { Tables } from './tables.ts';

let database: Database<Tables>;
let pool: MoverPool;
let room: string;
let root: string;
let parameters: Parameters;
let store: ConfiguredStore;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  pool = openMoverPool({ size: 1, shortSize: 1 });
  room = mkdtempSync(join(tmpdir(), 'stillpoint-configured-'));
});

afterAll(async () => {
  await pool.close();
  rmSync(room, { recursive: true });
  await database.close();
});

beforeEach(async () => {
  await emptyTables(database.kysely);
  root = join(room, randomUUID());
  mkdirSync(root);
  parameters = parametersInForce({ 'store.path': root, 'store.requireRemoteMount': false });
  store = new ConfiguredStore(database.kysely, pool);
});

const codeOf = (reply: Reply<unknown>): string => (reply.ok ? 'ok' : reply.fault.code);

function must<Value>(reply: { ok: true; value: Value } | { ok: false; fault: { detail: string } }): Value {
  if (!reply.ok) throw new Error(reply.fault.detail);
  return reply.value;
}

/** Puts a backup of one file into the store, as a task does. */
async function publish(
  more: Partial<Pick<PublishRequest, 'taskId' | 'target' | 'takenAt'>> = {},
): Promise<Manifest> {
  const { taskId = randomUUID(), target = { kind: 'domain', domain: 'DOMAIN1' }, takenAt = 0 } = more;
  const isSecure = target.kind === 'secure-backup';
  const [kind, name] = isSecure ? ['secure-backup', 'config.tgz'] : ['export', 'persisted.zip'];
  const incoming = join(root, '.stillpoint', 'incoming', taskId, kind);
  mkdirSync(incoming, { recursive: true });
  writeFileSync(join(incoming, name), taskId);
  const sha256 = createHash('sha256').update(taskId).digest('hex');
  const device = {
    name: 'QA1',
    serialNumber: '0000001',
    model: '5725',
    firmwareVersion: '10.6',
    firmwareBuild: '1',
  };
  const request: PublishRequest = {
    taskId,
    target,
    device,
    domains: isSecure ? [] : ['DOMAIN1'],
    files: [{ name, sizeBytes: taskId.length, sha256, isPersisted: isSecure ? null : true }],
    takenAt,
    completedAt: takenAt,
    timeZone: 'UTC',
    stillpointVersion: '0.1.0',
  };
  const known = must(await store.locate(parameters));
  return must(await pool.order({ kind: 'publishBackup', store: known, request }, { deadlineMs: 30_000 }));
}

/** Enters a published backup, as the task that published it does. */
async function enter(
  { taskId, takenAt, files }: Manifest,
  planName: string | null = 'nightly',
): Promise<void> {
  const identity = { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null };
  const place = { action: 'EXPORT_DOMAIN', device: 'QA1', domain: 'DOMAIN1', identity, runId: null } as const;
  await database.kysely
    .transaction()
    .execute((trx) => insertBackup(trx, { taskId, ...place, takenAt: Date.parse(takenAt), files, planName }));
}

async function catalogue() {
  const page = await new StoredHistory(database.kysely, () => '').backups({ limit: 100 });
  return page?.items ?? [];
}

const rescan = async () => must(await store.rescan(parameters));

describe('where the store is', () => {
  it('nobody knows before store.path is set', async () => {
    const unset = parametersInForce({});
    for (const reply of [await store.check(unset), await store.init(unset), await store.rescan(unset)]) {
      expect(codeOf(reply)).toBe('STORE_PATH_NOT_SET');
    }
  });

  it('is a store only once it was set up, and then tells its room', async () => {
    expect(codeOf(await store.check(parameters))).toBe('STORE_MARKER_MISSING');
    expect(codeOf(await store.init(parameters))).toBe('ok');
    const status = must(await store.check(parameters));
    expect(status.totalBytes).toBeGreaterThan(0);
    expect(status.freePercent).toBe(Math.max(0, Math.min(100, status.freePercent)));
  });

  it('may be set up again: the marker stays, and so do the backups', async () => {
    must(await store.init(parameters));
    const { expectedStoreId } = must(await store.locate(parameters));
    await publish();
    must(await store.init(parameters));
    expect(must(await store.locate(parameters)).expectedStoreId).toBe(expectedStoreId);
    expect((await rescan()).manifestsRead).toBe(1);
  });

  it('is noticed to be another when another store is in its place', async () => {
    must(await store.init(parameters));
    const other = parametersInForce({ ...parameters, 'store.path': join(room, randomUUID()) });
    mkdirSync(other['store.path'] ?? '');
    must(await store.init(other));
    rmSync(root, { recursive: true });
    renameSync(other['store.path'] ?? '', root);
    expect(codeOf(await store.check(parameters))).toBe('STORE_MARKER_DIFFERS');
  });

  it('must be a network file system when that is asked for', async () => {
    const strict = { ...parameters, 'store.requireRemoteMount': true };
    expect(codeOf(await store.init(strict))).toBe('STORE_IS_NOT_MOUNTED');
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('a rescan', () => {
  beforeEach(async () => void must(await store.init(parameters)));

  it('enters what the catalogue lost, and finds nothing to do the second time', async () => {
    const one = await publish({ takenAt: 2 });
    const all = await publish({ target: { kind: 'all-domains' }, takenAt: 1 });
    const secure = await publish({ target: { kind: 'secure-backup' } });
    const found = { manifestsRead: 3, backupsMissing: 0, problems: [] };
    expect(await rescan()).toEqual({ ...found, backupsAdded: 3, backupsUnchanged: 0 });
    const before = await catalogue();
    expect(before).toMatchObject([
      {
        taskId: one.taskId,
        action: 'EXPORT_DOMAIN',
        domain: 'DOMAIN1',
        isPersisted: true,
        state: 'good',
        plan: null,
      },
      {
        taskId: all.taskId,
        action: 'EXPORT_DOMAIN',
        domain: 'all-domains',
        isPersisted: true,
        state: 'good',
      },
      { taskId: secure.taskId, action: 'SECURE_BACKUP', domain: null, isPersisted: null, serial: '0000001' },
    ]);
    expect(before[0]?.files).toEqual(
      one.files.map(({ path, sizeBytes, sha256 }) => ({ path, sizeBytes, sha256 })),
    );
    expect(await rescan()).toEqual({ ...found, backupsAdded: 0, backupsUnchanged: 3 });
    expect(await catalogue()).toEqual(before);
  });

  it('leaves what the catalogue knows as it is', async () => {
    await enter(await publish());
    const before = await catalogue();
    expect(await rescan()).toMatchObject({ backupsAdded: 0, backupsUnchanged: 1, backupsMissing: 0 });
    expect(await catalogue()).toEqual(before);
  });

  it('marks what is no longer there, and what comes back is good again and still of its plan', async () => {
    const manifest = await publish();
    await enter(manifest);
    renameSync(join(root, 'QA1'), join(root, '.elsewhere'));
    expect(await rescan()).toMatchObject({ backupsAdded: 0, backupsMissing: 1 });
    expect(await catalogue()).toMatchObject([{ taskId: manifest.taskId, state: 'missing' }]);
    renameSync(join(root, '.elsewhere'), join(root, 'QA1'));
    expect(await rescan()).toMatchObject({ backupsAdded: 1, backupsMissing: 0 });
    expect(await catalogue()).toMatchObject([{ taskId: manifest.taskId, state: 'good', plan: 'nightly' }]);
  });

  it('does not take for missing what was published and entered while it read the disk', async () => {
    const manifest = { ...(await publish()), taskId: randomUUID() };
    const behindTheReader: MoverPool = {
      ...pool,
      async order(order, options) {
        const reply = await pool.order(order, options);
        await enter(manifest);
        return reply;
      },
    };
    rmSync(join(root, 'QA1'), { recursive: true });
    const outcome = must(await new ConfiguredStore(database.kysely, behindTheReader).rescan(parameters));
    expect(outcome.backupsMissing).toBe(0);
    expect(await catalogue()).toMatchObject([{ taskId: manifest.taskId, state: 'good' }]);
  });

  it('lets a task enter its backup also when it was faster', async () => {
    const manifest = await publish();
    await rescan();
    await enter(manifest);
    expect(await catalogue()).toMatchObject([{ taskId: manifest.taskId, plan: 'nightly' }]);
  });

  it('tells what is not as it should be, and enters the rest', async () => {
    const good = await publish();
    await publish({ taskId: 'copied-by-hand', takenAt: 1 });
    writeFileSync(join(root, '.stillpoint', 'catalog', `${randomUUID()}.json`), 'no JSON');
    writeFileSync(join(root, 'QA1', 'stranger.txt'), 'x');
    const outcome = await rescan();
    expect(outcome).toMatchObject({ manifestsRead: 2, backupsAdded: 1, backupsUnchanged: 0 });
    expect(outcome.problems.map(({ path }) => path.replace(/[0-9a-f-]{36}/, 'ID')).toSorted()).toEqual([
      '.stillpoint/catalog/ID.json',
      '.stillpoint/catalog/copied-by-hand.json',
      'QA1/stranger.txt',
    ]);
    expect((await catalogue()).map(({ taskId }) => taskId)).toEqual([good.taskId]);
  });

  it('of a store that is not the one that was set up changes nothing', async () => {
    await enter(await publish());
    await database.kysely.updateTable('known_store').set({ store_id: randomUUID() }).execute();
    expect(codeOf(await store.rescan(parameters))).toBe('STORE_MARKER_DIFFERS');
    expect(await catalogue()).toMatchObject([{ state: 'good' }]);
  });
});
