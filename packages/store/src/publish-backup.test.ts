import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { discardBackup } from './discard-backup.ts';
import { publishBackup } from './publish-backup.ts';
import { rescanStore } from './rescan-store.ts';
import { hashFile, readFilePart } from './stored-file.ts';
import { exportRequest, receive, secureBackupRequest } from './testing/receive-backup.ts';
import { codeOf, must, type TemporaryStore, temporaryStore } from './testing/temporary-store.ts';

const exportsOfA = { 'persisted.zip': 'saved', 'nonpersisted.zip': 'running' };
const secureBackup = { 'backupmanifest.xml': '<x/>', 'root.tgz': 'root' };
const persistedPath = 'QA1/domain/A/A-export-2017-06-26-22-48-00-000-persisted.zip';
const nonpersistedPath = 'QA1/domain/A/A-export-2017-06-26-22-48-00-000-nonpersisted.zip';
let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
});

async function publishExports(taskId: string) {
  return publishBackup(
    store.root,
    exportRequest(taskId, await receive(store.root, taskId, 'export', exportsOfA)),
  );
}

async function publishSecure(taskId: string) {
  const received = await receive(store.root, taskId, 'secure-backup', secureBackup);
  return publishBackup(store.root, secureBackupRequest(taskId, received));
}

async function files(): Promise<string[]> {
  const entries = await readdir(store.path, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice(store.path.length + 1)).sort();
}

const read = (path: string) => readFile(join(store.path, path), 'utf8');
const scan = async () => must(await rescanStore(store.root, { checksHashes: true }));
const problems = async () => (await scan()).problems.map((problem) => [problem.code, problem.path]);

test('both exports of a domain are put at their place, listed in a manifest, and nothing else is left', async () => {
  const manifest = must(await publishExports('task-1'));
  expect(manifest.files.map((file) => file.path)).toEqual([persistedPath, nonpersistedPath]);
  expect(await files()).toEqual(
    ['.stillpoint/catalog/task-1.json', '.stillpoint/store.json', nonpersistedPath, persistedPath].sort(),
  );
  expect(await read(persistedPath)).toBe('saved');
  expect(await scan()).toEqual({ backups: [manifest], problems: [] });
});

test('whoever loses the permission changes nothing more, at whatever change it is lost', async () => {
  const received = await receive(store.root, 'task-1', 'export', exportsOfA);
  const request = exportRequest('task-1', received);
  // Asked at the beginning, before the manifest takes its name (which it keeps from then on), and before each file does.
  const tries = [
    { allowed: 0, effect: 'none', hasManifest: false, there: [] },
    { allowed: 1, effect: 'unknown', hasManifest: false, there: [] },
    { allowed: 2, effect: 'unknown', hasManifest: true, there: [] },
    { allowed: 2, effect: 'unknown', hasManifest: true, there: [persistedPath] },
  ];
  for (const { allowed, effect, hasManifest, there } of tries) {
    let asked = 0;
    const reply = await publishBackup(store.root, request, () => asked++ < allowed);
    const fault = { code: 'STORE_PUBLISH_NOT_ALLOWED', effect, retryable: true };
    expect(reply).toMatchObject({ ok: false, fault });
    const found = await files();
    expect(found.includes('.stillpoint/catalog/task-1.json')).toBe(hasManifest);
    expect(found.filter((path) => path.startsWith('QA1/'))).toEqual(there);
  }
  // It was never lost for good: whoever may, finishes what was begun.
  const manifest = must(await publishBackup(store.root, request));
  expect(await scan()).toEqual({ backups: [manifest], problems: [] });
});

test('a folder is not put in place without permission', async () => {
  const received = await receive(store.root, 'task-1', 'secure-backup', secureBackup);
  const request = secureBackupRequest('task-1', received);
  let asked = 0;
  const reply = await publishBackup(store.root, request, () => asked++ < 2);
  expect(codeOf(reply)).toBe('STORE_PUBLISH_NOT_ALLOWED');
  expect((await files()).some((path) => path.startsWith('QA1/'))).toBe(false);
  expect(codeOf(await publishBackup(store.root, request))).toBe('ok');
});

test('a secure backup is put at its place as one folder', async () => {
  const manifest = must(await publishSecure('task-1'));
  expect(manifest.files.map((file) => file.path)).toEqual([
    'QA1/secure-backup/2017-06-26-22-48-00-000/backupmanifest.xml',
    'QA1/secure-backup/2017-06-26-22-48-00-000/root.tgz',
  ]);
  expect(await scan()).toEqual({ backups: [manifest], problems: [] });
});

test('publishing a task again answers the same manifest and changes nothing', async () => {
  const received = await receive(store.root, 'task-1', 'export', exportsOfA);
  const first = must(await publishBackup(store.root, exportRequest('task-1', received)));
  expect(must(await publishBackup(store.root, exportRequest('task-1', received)))).toEqual(first);
  expect(await problems()).toEqual([]);
});

test('a path that is taken is left alone; the next millisecond is used', async () => {
  must(await publishExports('task-1'));
  const second = must(await publishExports('task-2'));
  expect(second.files[0]?.path).toBe(persistedPath.replace('000-persisted', '001-persisted'));
  expect(second.takenAt).toBe('2017-06-26T22:48:00.000Z');
  must(await publishSecure('task-3'));
  expect(must(await publishSecure('task-4')).files[0]?.path).toContain('22-48-00-001/');
  expect((await scan()).backups).toHaveLength(4);
});

test('a file that is not what was received is not published', async () => {
  const received = await receive(store.root, 'task-1', 'export', exportsOfA);
  await writeFile(join(store.path, '.stillpoint/incoming/task-1/export/persisted.zip'), 'longer than before');
  const reply = await publishBackup(store.root, exportRequest('task-1', received));
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_FILE_CHANGED', effect: 'none' } });
});

test('a secure backup with a file nobody verified is not published', async () => {
  const received = await receive(store.root, 'task-1', 'secure-backup', secureBackup);
  await writeFile(join(store.path, '.stillpoint/incoming/task-1/secure-backup/evil'), '');
  expect(codeOf(await publishBackup(store.root, secureBackupRequest('task-1', received)))).toBe(
    'BACKUP_EXTRA_FILE',
  );
});

test('what never arrived cannot be published', async () => {
  const received = await receive(store.root, 'task-1', 'export', exportsOfA);
  expect(codeOf(await publishBackup(store.root, exportRequest('task-2', received)))).toBe(
    'STORE_FILE_MISSING',
  );
});

test('a task that began to publish other files before is not mixed with them', async () => {
  const received = await receive(store.root, 'task-1', 'export', exportsOfA);
  must(await publishBackup(store.root, exportRequest('task-1', received)));
  const other = await receive(store.root, 'task-1', 'export', { 'persisted.zip': 'other' });
  expect(codeOf(await publishBackup(store.root, exportRequest('task-1', other)))).toBe(
    'STORE_PUBLISH_CONFLICT',
  );
});

test('nothing is published through a link', async () => {
  await using elsewhere = await temporaryStore();
  await symlink(elsewhere.path, join(store.path, 'QA1'));
  expect(codeOf(await publishExports('task-1'))).toBe('STORE_PATH_LEAVES_STORE');
  expect(await readdir(elsewhere.path)).toEqual(['.stillpoint']);
});

test('discarding takes back what a task published or received, and nothing of another task', async () => {
  const kept = must(await publishExports('task-1'));
  must(await publishExports('task-2'));
  must(await publishSecure('task-3'));
  await receive(store.root, 'task-4', 'export', exportsOfA);
  for (const taskId of ['task-2', 'task-3', 'task-4', 'task-2', 'never-begun']) {
    expect(codeOf(await discardBackup(store.root, taskId))).toBe('ok');
  }
  expect(await scan()).toEqual({ backups: [kept], problems: [] });
});

test('discarding leaves a file alone that another task put at the path of an unfinished publish', async () => {
  const published = must(await publishExports('task-1'));
  await receive(store.root, 'task-2', 'export', exportsOfA);
  const claiming = JSON.stringify({ ...published, taskId: 'task-2' });
  await writeFile(join(store.path, '.stillpoint/catalog/task-2.json'), claiming);
  expect(codeOf(await discardBackup(store.root, 'task-2'))).toBe('ok');
  expect(await scan()).toEqual({ backups: [published], problems: [] });
});

test('a rescan finds everything that is not as it should be, and changes nothing', async () => {
  must(await publishExports('task-1'));
  must(await publishSecure('task-2'));
  await receive(store.root, 'task-3', 'export', exportsOfA);
  const catalog = join(store.path, '.stillpoint/catalog');
  await writeFile(join(store.path, persistedPath), 'SAVED');
  await writeFile(join(store.path, nonpersistedPath), 'another length');
  await writeFile(join(catalog, 'task-9.json'), '{}');
  await writeFile(join(catalog, '.tmp-task-8.json'), '');
  await writeFile(join(store.path, 'QA1/domain/A/mine.txt'), '');
  await writeFile(join(store.path, 'notes'), '');
  await mkdir(join(store.path, '.snapshot'));
  await symlink('/etc', join(store.path, 'QA1/link'));
  const before = await files();
  const report = await scan();
  expect(report.backups.map((backup) => backup.taskId)).toEqual(['task-2']);
  expect(report.problems.map((problem) => `${problem.code} ${problem.path}`).sort()).toEqual([
    `RESCAN_FILE_DAMAGED ${nonpersistedPath}`,
    `RESCAN_FILE_DAMAGED ${persistedPath}`,
    'RESCAN_FILE_UNKNOWN QA1/domain/A/mine.txt',
    'RESCAN_FILE_UNKNOWN QA1/link',
    'RESCAN_FILE_UNKNOWN notes',
    'RESCAN_LEFTOVER .stillpoint/catalog/.tmp-task-8.json',
    'RESCAN_LEFTOVER .stillpoint/incoming/task-3',
    'RESCAN_MANIFEST_UNREADABLE .stillpoint/catalog/task-9.json',
  ]);
  expect(await files()).toEqual(before);
});

test('a manifest whose paths lead anywhere else is not believed', async () => {
  const manifest = must(await publishExports('task-1'));
  for (const path of ['../../etc/passwd', '.stillpoint/catalog/x/y', '/etc/passwd', 'a//b/c', 'a/b']) {
    const files = manifest.files.map((file) => ({ ...file, path }));
    await writeFile(
      join(store.path, '.stillpoint/catalog/task-1.json'),
      JSON.stringify({ ...manifest, files }),
    );
    expect((await scan()).problems.map((problem) => problem.code)).toContain('RESCAN_MANIFEST_UNREADABLE');
    expect(codeOf(await discardBackup(store.root, 'task-1'))).toBe('STORE_MANIFEST_UNREADABLE');
    expect(codeOf(await hashFile(store.root, path))).toMatch(/STORE_PATH_LEAVES_STORE|STORE_FILE_MISSING/);
  }
});

test('a manifest of a secure backup that is not one folder, or came from elsewhere, is not believed', async () => {
  const manifest = must(await publishSecure('task-1'));
  const [first, ...others] = manifest.files;
  for (const change of [{ path: 'QA1/secure-backup/other/root.tgz' }, { incomingPath: 'secure-backup/..' }]) {
    const files = [{ ...first, ...change }, ...others];
    await writeFile(
      join(store.path, '.stillpoint/catalog/task-1.json'),
      JSON.stringify({ ...manifest, files }),
    );
    expect(codeOf(await discardBackup(store.root, 'task-1'))).toBe('STORE_MANIFEST_UNREADABLE');
  }
});

test('a published file can be hashed again and read in parts', async () => {
  const manifest = must(await publishExports('task-1'));
  const hashed = must(await hashFile(store.root, persistedPath));
  expect(hashed).toEqual({ sizeBytes: 5, sha256: manifest.files[0]?.sha256 });
  expect(must(await readFilePart(store.root, persistedPath, 1, 3)).toString()).toBe('ave');
  expect(must(await readFilePart(store.root, persistedPath, 3, 100)).toString()).toBe('ed');
  expect(must(await readFilePart(store.root, persistedPath, 50, 100))).toHaveLength(0);
  expect(codeOf(await hashFile(store.root, 'QA1/domain/A/none.zip'))).toBe('STORE_FILE_MISSING');
});
