import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StoreDirectory } from './store-directory.ts';
import { checkStore, initStore, openStore } from './store-root.ts';
import { codeOf, must, temporaryStore } from './testing/temporary-store.ts';

const local = { requiresRemoteMount: false, expectedStoreId: null, minFreePercent: 0 };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-root-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a store that was set up passes its check and tells where it lies and how full it is', async () => {
  const marker = must(await initStore({ root: folder, requiresRemoteMount: false }));
  const status = must(await checkStore({ ...local, root: folder, expectedStoreId: marker.storeId }));
  expect(status.storeId).toBe(marker.storeId);
  expect(status.totalBytes).toBeGreaterThanOrEqual(status.freeBytes);
  expect(status.freePercent).toBeCloseTo((status.freeBytes / status.totalBytes) * 100, 5);
  expect(status.fileSystem).not.toBe('');
});

test('setting up a store twice keeps the first marker', async () => {
  const first = must(await initStore({ root: folder, requiresRemoteMount: false }));
  expect(must(await initStore({ root: folder, requiresRemoteMount: false }))).toEqual(first);
});

test('a path that is missing, empty, relative or a file is told apart', async () => {
  await writeFile(join(folder, 'file'), '');
  const check = async (root: string) => codeOf(await checkStore({ ...local, root }));
  expect(await check(join(folder, 'nothing'))).toBe('STORE_DOES_NOT_EXIST');
  expect(await check(join(folder, 'file'))).toBe('STORE_DOES_NOT_EXIST');
  expect(await check('')).toBe('STORE_PATH_NOT_SET');
  expect(await check('backups')).toBe('STORE_PATH_INVALID');
  expect(await check('/a\0b')).toBe('STORE_PATH_INVALID');
});

test('a folder on a local disk is refused where a network mount is required, also for setting up', async () => {
  const location = { root: folder, requiresRemoteMount: true };
  const reply = await initStore(location);
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_IS_NOT_MOUNTED', effect: 'none' } });
  expect(codeOf(await openStore({ ...location, expectedStoreId: null }))).toBe('STORE_IS_NOT_MOUNTED');
});

test('memory is not a network mount, and a link to it does not make it one', async () => {
  await symlink('/dev/shm', join(folder, 'link'));
  const reply = await checkStore({ ...local, root: join(folder, 'link'), requiresRemoteMount: true });
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_IS_NOT_MOUNTED' } });
  expect(reply.ok ? '' : reply.fault.detail).toContain('tmpfs');
});

test('a store without its marker, with that of another, or with a broken one is refused', async () => {
  const check = async () =>
    codeOf(await checkStore({ ...local, root: folder, expectedStoreId: crypto.randomUUID() }));
  expect(await check()).toBe('STORE_MARKER_MISSING');
  await initStore({ root: folder, requiresRemoteMount: false });
  expect(await check()).toBe('STORE_MARKER_DIFFERS');
  await writeFile(join(folder, '.stillpoint', 'store.json'), '{"storeId": 1}');
  expect(await check()).toBe('STORE_MARKER_UNREADABLE');
  expect(codeOf(await initStore({ root: folder, requiresRemoteMount: false }))).toBe(
    'STORE_MARKER_UNREADABLE',
  );
  await writeFile(join(folder, '.stillpoint', 'store.json'), ' '.repeat(100_000));
  expect(await check()).toBe('STORE_MARKER_UNREADABLE');
});

test('too little free space is a fault that names both figures', async () => {
  await initStore({ root: folder, requiresRemoteMount: false });
  const reply = await checkStore({ ...local, root: folder, minFreePercent: 100.1 });
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_OUT_OF_SPACE' } });
  expect(reply.ok ? '' : reply.fault.detail).toContain('100.1 %');
});

test('a store held open stays the same one when another is put at its path', async () => {
  await using store = await temporaryStore();
  const moved = `${store.path}-moved`;
  await rename(store.path, moved);
  await mkdir(store.path);
  await using made = await store.root.directory.openOrMake(['device']);
  await writeFile(made.path('file'), 'content');
  expect(await readFile(join(moved, 'device', 'file'), 'utf8')).toBe('content');
  await rm(store.path, { recursive: true });
  await rename(moved, store.path);
});

test('a link inside the store is never followed', async () => {
  await using store = await temporaryStore();
  await symlink(folder, join(store.path, 'device'));
  await expect(store.root.directory.openOrMake(['device', 'domain'])).rejects.toMatchObject({
    code: 'STORE_PATH_LEAVES_STORE',
  });
});

test('a folder of another file system inside the store is refused', async () => {
  await using slash = await StoreDirectory.openRoot('/');
  await expect(slash.open(['proc'])).rejects.toMatchObject({ code: 'STORE_PATH_LEAVES_STORE' });
});
