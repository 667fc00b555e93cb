import type { FileHandle } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { discardBackup } from './discard-backup.ts';
import type { Reply } from './fault.ts';
import { openIncoming } from './incoming.ts';
import type { Manifest } from './manifest.ts';
import { publishBackup } from './publish-backup.ts';
import { rescanStore } from './rescan-store.ts';
import { openStore } from './store-root.ts';
import { exportRequest, receive, secureBackupRequest } from './testing/receive-backup.ts';
import { must, temporaryStore } from './testing/temporary-store.ts';

type AnyCall = (...args: unknown[]) => Promise<unknown>;

// A disk that fails at one call, or at that call and every one after it, as a power cut looks to what comes after it.
const disk = vi.hoisted(() => ({
  calls: 0,
  failsAtCall: Number.POSITIVE_INFINITY,
  isDead: false,
  errno: 'EIO',
  hasNoLinks: false,
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<Record<string, unknown>>();
  const failing = (name: string, call: AnyCall): AnyCall => {
    return async (...args) => {
      if (disk.hasNoLinks && name === 'link') throw errorOf('EPERM');
      disk.calls += 1;
      if (disk.calls === disk.failsAtCall || (disk.isDead && disk.calls > disk.failsAtCall))
        throw errorOf(disk.errno);
      return call(...args);
    };
  };
  const wrapped: Record<string, unknown> = { ...original };
  for (const name of ['mkdir', 'link', 'rename', 'rm', 'unlink', 'lstat', 'readdir', 'readFile']) {
    wrapped[name] = failing(name, original[name] as AnyCall);
  }
  const open = failing('open', original.open as AnyCall);
  wrapped.open = async (...args: unknown[]) => {
    const handle = (await open(...args)) as FileHandle;
    for (const name of ['sync', 'datasync', 'write', 'writeFile', 'read', 'readFile', 'stat'] as const) {
      const method = (handle[name] as AnyCall).bind(handle);
      Object.defineProperty(handle, name, { value: failing(name, method) });
    }
    return handle;
  };
  return wrapped;
});

function errorOf(code: string): Error {
  return Object.assign(new Error(`${code}: planted`), { code, errno: -5, syscall: 'planted' });
}

function heal(): void {
  Object.assign(disk, {
    calls: 0,
    failsAtCall: Number.POSITIVE_INFINITY,
    isDead: false,
    errno: 'EIO',
    hasNoLinks: false,
  });
}

afterEach(heal);

const exportsOfA = { 'persisted.zip': 'saved', 'nonpersisted.zip': 'running' };
const secureBackup = { 'backupmanifest.xml': '<x/>', 'root.tgz': 'root' };
const kinds = [
  { kind: 'export', contents: exportsOfA, request: exportRequest },
  { kind: 'secure-backup', contents: secureBackup, request: secureBackupRequest },
] as const;

interface Outcome {
  readonly reply: Reply<Manifest>;
  readonly calls: number;
}

// Publishes with a disk that fails at the given call, then looks at the store with a disk that works again.
async function publishOnFailingDisk(
  { kind, contents, request }: (typeof kinds)[number],
  failure: Partial<typeof disk>,
): Promise<Outcome> {
  await using store = await temporaryStore('/dev/shm');
  const received = await receive(store.root, 'task-1', kind, contents);
  Object.assign(disk, failure, { calls: 0 });
  const reply = await publishBackup(store.root, request('task-1', received));
  const { calls } = disk;
  heal();
  const report = must(await rescanStore(store.root, { checksHashes: true }));
  // Whatever happened: nothing partial, nothing unlisted at a published path.
  const codes = new Set(report.problems.map((problem) => problem.code));
  expect(
    [...codes].filter((code) => code !== 'RESCAN_LEFTOVER' && code !== 'RESCAN_PUBLISH_UNFINISHED'),
  ).toEqual([]);
  if (reply.ok) expect(report.backups).toEqual([reply.value]);
  const again = must(await publishBackup(store.root, request('task-1', received)));
  const finished = must(await rescanStore(store.root, { checksHashes: true }));
  expect(finished.backups).toEqual([again]);
  expect(finished.problems.filter((problem) => !problem.path.includes('.tmp-'))).toEqual([]);
  return { reply, calls };
}

test.each(kinds)(
  'a $kind whose publish fails at any one call is never half there, and can be published again',
  async (kind) => {
    const { calls: allCalls } = await publishOnFailingDisk(kind, {});
    for (let call = 1; call <= allCalls; call += 1) await publishOnFailingDisk(kind, { failsAtCall: call });
    expect(allCalls).toBeGreaterThan(25);
  },
);

test.each(kinds)(
  'a $kind whose publish is cut off at any call is never half there, and can be published again',
  async (kind) => {
    const { calls: allCalls } = await publishOnFailingDisk(kind, {});
    let faults = 0;
    for (let call = 1; call <= allCalls; call += 1) {
      const { reply } = await publishOnFailingDisk(kind, { failsAtCall: call, isDead: true });
      if (!reply.ok) faults += 1;
    }
    expect(faults).toBeGreaterThan(20);
  },
);

test.each(kinds)(
  'a $kind whose publish is cut off at any call can be discarded without a trace',
  async ({ kind, contents, request }) => {
    for (let call = 1; call <= 80; call += 2) {
      await using store = await temporaryStore('/dev/shm');
      const received = await receive(store.root, 'task-1', kind, contents);
      Object.assign(disk, { failsAtCall: call, isDead: true, calls: 0 });
      await publishBackup(store.root, request('task-1', received));
      // The first discard is cut off as well, somewhere else.
      Object.assign(disk, { failsAtCall: (call * 7) % 30, isDead: true, calls: 0 });
      await discardBackup(store.root, 'task-1');
      heal();
      must(await discardBackup(store.root, 'task-1'));
      const report = must(await rescanStore(store.root, { checksHashes: true }));
      expect(report.backups).toEqual([]);
      expect(report.problems.filter((problem) => !problem.path.includes('.tmp-'))).toEqual([]);
    }
  },
);

test.each([
  ['ENOSPC', 'STORE_OUT_OF_SPACE'],
  ['EDQUOT', 'STORE_OUT_OF_SPACE'],
  ['EIO', 'STORE_IO_ERROR'],
  ['EROFS', 'STORE_READ_ONLY'],
  ['ESTALE', 'STORE_CONNECTION_LOST'],
  ['EACCES', 'STORE_ACCESS_DENIED'],
  ['EMFILE', 'STORE_TOO_MANY_OPEN_FILES'],
])('%s at any call of receiving a file is told as %s', async (errno, code) => {
  let seen = 0;
  for (let call = 1; call <= 30; call += 1) {
    await using store = await temporaryStore('/dev/shm');
    Object.assign(disk, { failsAtCall: call, isDead: true, errno, calls: 0 });
    const reply = await receiveOneFile(store.path);
    heal();
    if (reply.ok) break;
    seen += 1;
    expect(reply.fault).toMatchObject({ code, effect: 'none' });
    expect(reply.fault.detail).toContain(errno);
  }
  expect(seen).toBeGreaterThan(15);
});

async function receiveOneFile(path: string): Promise<Reply<unknown>> {
  const opened = await openStore({ root: path, requiresRemoteMount: false, expectedStoreId: null });
  if (!opened.ok) return opened;
  await using root = opened.value;
  const incoming = await openIncoming(root, 'task-1', 'export');
  if (!incoming.ok) return incoming;
  await using folder = incoming.value;
  const file = await folder.createFile('persisted.zip');
  if (!file.ok) return file;
  await file.value.write(Buffer.from('content'));
  return file.value.finish();
}

test('a file that can no longer be written stops its writer, and finish tells why', async () => {
  await using store = await temporaryStore('/dev/shm');
  await using incoming = must(await openIncoming(store.root, 'task-1', 'export'));
  const file = must(await incoming.createFile('persisted.zip'));
  Object.assign(disk, { failsAtCall: 3, isDead: true, errno: 'ENOSPC', calls: 0 });
  const block = Buffer.alloc(1024 * 1024);
  const writeMuch = async () => {
    for (let count = 0; count < 50; count += 1) await file.write(block);
  };
  await expect(writeMuch()).rejects.toMatchObject({ code: 'ENOSPC' });
  const reply = await file.finish();
  heal();
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_OUT_OF_SPACE' } });
});

test('a file system without hard links gets its files by rename', async () => {
  await publishOnFailingDisk(kinds[0], { hasNoLinks: true });
});

test('no descriptor stays open, whatever fails', async () => {
  const before = (await readdir('/proc/self/fd')).length;
  for (let call = 1; call <= 60; call += 4) {
    await publishOnFailingDisk(kinds[0], { failsAtCall: call, isDead: true });
  }
  expect((await readdir('/proc/self/fd')).length).toBe(before);
});
