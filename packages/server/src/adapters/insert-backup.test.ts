import { randomUUID } from 'node:crypto';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { emptyTables } from '../testing/empty-tables.ts';
import { type CatalogueEntry, insertBackup } from './insert-backup.ts';
import { StoredHistory } from './stored-history.ts';
import type { Tables } from './tables.ts';

let database: Database<Tables>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

const fileOf = (path: string, isPersisted: boolean | null) => ({
  path,
  sizeBytes: 3,
  sha256: 'a'.repeat(64),
  isPersisted,
});

function entryOf(more: Partial<CatalogueEntry> = {}): CatalogueEntry {
  return {
    taskId: randomUUID(),
    action: 'EXPORT_DOMAIN',
    device: 'QA1',
    domain: 'DOMAIN1',
    identity: {
      serialNumber: '0000001',
      model: '5725 T09',
      firmwareVersion: 'IDG.10.5.0.2',
      firmwareBuild: '345566',
    },
    takenAt: Date.UTC(2026, 2, 29, 1, 2, 3, 4),
    files: [fileOf('QA1/domain/DOMAIN1/a-persisted.zip', true)],
    planName: 'nightly',
    runId: randomUUID(),
    ...more,
  };
}

async function insert(...entries: CatalogueEntry[]): Promise<void> {
  await database.kysely.transaction().execute(async (trx) => {
    for (const entry of entries) await insertBackup(trx, entry);
  });
}

async function listed() {
  const page = await new StoredHistory(database.kysely, () => '').backups({ limit: 100 });
  return page?.items ?? [];
}

it('a backup is listed with all that is known of it', async () => {
  const entry = entryOf();
  await insert(entry);
  expect(await listed()).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      device: 'QA1',
      domain: 'DOMAIN1',
      action: 'EXPORT_DOMAIN',
      isPersisted: true,
      state: 'good',
      files: [{ path: 'QA1/domain/DOMAIN1/a-persisted.zip', sizeBytes: 3, sha256: 'a'.repeat(64) }],
      sizeBytes: 3,
      takenAt: '2026-03-29T01:02:03.004Z',
      plan: 'nightly',
      runId: entry.runId,
      taskId: entry.taskId,
      serial: '0000001',
      model: '5725 T09',
      firmwareVersion: 'IDG.10.5.0.2',
      firmwareBuild: '345566',
    },
  ]);
});

it('the saved and the running configuration are two backups of one task', async () => {
  await insert(entryOf({ files: [fileOf('QA1/d/p.zip', true), fileOf('QA1/d/n.zip', false)] }));
  const parts = (await listed()).map(({ isPersisted, files }) => [
    isPersisted,
    files.map(({ path }) => path),
  ]);
  expect(parts.toSorted()).toEqual([
    [false, ['QA1/d/n.zip']],
    [true, ['QA1/d/p.zip']],
  ]);
});

it('a secure backup is one backup of many files, neither saved nor running', async () => {
  const files = ['backupmanifest.xml', 'config.tgz', 'root.tgz'].map((name) =>
    fileOf(`QA1/secure-backup/x/${name}`, null),
  );
  await insert(entryOf({ action: 'SECURE_BACKUP', domain: null, files }));
  const [backup, ...others] = await listed();
  expect(others).toEqual([]);
  expect(backup).toMatchObject({ domain: null, isPersisted: null, sizeBytes: 9 });
  expect(backup?.files).toHaveLength(3);
});

it('what a device does not say of itself stays open', async () => {
  const identity = { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null };
  await insert(entryOf({ identity, planName: null, runId: null }));
  expect(await listed()).toMatchObject([
    { serial: null, model: null, firmwareVersion: null, plan: null, runId: null },
  ]);
});

it('a task takes the place of what a rescan has entered for it before', async () => {
  const entry = entryOf();
  await insert({ ...entry, planName: null, runId: null }, entry);
  expect(await listed()).toMatchObject([{ taskId: entry.taskId, plan: 'nightly', runId: entry.runId }]);
});

it('no two backups are at one path: the second is not entered, nor anything with it', async () => {
  const [first, second, third] = [
    entryOf(),
    entryOf(),
    entryOf({ files: [fileOf('QA1/d/other.zip', true)] }),
  ];
  await insert(first);
  await expect(insert(third, second)).rejects.toThrow('backup_file_path_key');
  expect((await listed()).map(({ taskId }) => taskId)).toEqual([first.taskId]);
});
