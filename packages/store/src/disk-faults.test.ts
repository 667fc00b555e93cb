import { afterEach, expect, test, vi } from 'vitest';
import { discardBackup } from './discard-backup.ts';
import type { Reply } from './fault.ts';
import { openIncoming } from './incoming.ts';
import type { Manifest } from './manifest.ts';
import { publishBackup } from './publish-backup.ts';
import { rescanStore } from './rescan-store.ts';
import type { Failure } from './testing/failing-disk.ts';
import { exportRequest, receive, secureBackupRequest } from './testing/receive-backup.ts';
import { must, temporaryStore } from './testing/temporary-store.ts';

const disk = await vi.hoisted(async () => {
  const { FailingDisk } = await import('./testing/failing-disk.ts');
  return new FailingDisk();
});

vi.mock('node:fs/promises', async (importOriginal) => disk.wrap(await importOriginal()));

afterEach(() => disk.heal());

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
  failure: Partial<Failure>,
): Promise<Outcome> {
  await using store = await temporaryStore('/dev/shm');
  const received = await receive(store.root, 'task-1', kind, contents);
  disk.fail({ failsAtCall: Number.POSITIVE_INFINITY, ...failure });
  const reply = await publishBackup(store.root, request('task-1', received));
  const calls = disk.asked.length;
  disk.heal();
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
  expect(finished.problems).toEqual([]);
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
      disk.fail({ failsAtCall: call, isDead: true });
      await publishBackup(store.root, request('task-1', received));
      // The first discard is cut off as well, somewhere else.
      disk.fail({ failsAtCall: (call * 7) % 30, isDead: true });
      await discardBackup(store.root, 'task-1');
      disk.heal();
      must(await discardBackup(store.root, 'task-1'));
      const report = must(await rescanStore(store.root, { checksHashes: true }));
      expect(report.backups).toEqual([]);
      expect(report.problems).toEqual([]);
    }
  },
);

test('a file that can no longer be written stops its writer, and finish tells why', async () => {
  await using store = await temporaryStore('/dev/shm');
  await using incoming = must(await openIncoming(store.root, 'task-1', 'export'));
  const file = must(await incoming.createFile('persisted.zip'));
  disk.fail({ failsAtCall: 3, isDead: true, errno: 'ENOSPC' });
  const block = Buffer.alloc(1024 * 1024);
  const writeMuch = async () => {
    for (let count = 0; count < 50; count += 1) await file.write(block);
  };
  await expect(writeMuch()).rejects.toMatchObject({ code: 'ENOSPC' });
  const reply = await file.finish();
  disk.heal();
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_OUT_OF_SPACE' } });
});

test('a file system without hard links gets its files by rename', async () => {
  disk.hasNoLinks = true;
  await publishOnFailingDisk(kinds[0], {});
});
