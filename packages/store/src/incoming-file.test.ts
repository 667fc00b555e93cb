import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openIncoming } from './incoming.ts';
import { must, temporaryStore } from './testing/temporary-store.ts';

test('a file arrives byte for byte with its hash, however it is cut into chunks', async () => {
  await using store = await temporaryStore();
  await using incoming = must(await openIncoming(store.root, 'task-1', 'export'));
  const whole = Buffer.alloc(7 * 1024 * 1024 + 13, 'not a power of two');
  const cuts = fc.array(fc.integer({ min: 1, max: 3 * 1024 * 1024 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, async (sizes) => {
      const file = must(await incoming.createFile('persisted.zip'));
      const scratch = Buffer.alloc(3 * 1024 * 1024);
      for (let at = 0, turn = 0; at < whole.length; turn += 1) {
        const size = Math.min(sizes[turn % sizes.length] ?? 1, whole.length - at);
        if (size < 4096 && turn > 50) break;
        whole.copy(scratch, 0, at, at + size);
        await file.write(scratch.subarray(0, size));
        // The chunk belongs to its writer again: what is put into it now must not reach the file.
        scratch.fill(0, 0, size);
        at += size;
      }
      const received = must(await file.finish());
      const stored = await readFile(join(store.path, '.stillpoint/incoming/task-1/export/persisted.zip'));
      expect(received.sizeBytes).toBe(stored.length);
      expect(stored.equals(whole.subarray(0, stored.length))).toBe(true);
      expect(received.sha256).toBe(createHash('sha256').update(stored).digest('hex'));
    }),
    { numRuns: 15 },
  );
});

test('an abandoned file is closed, and a later try starts from nothing', async () => {
  await using store = await temporaryStore();
  await using incoming = must(await openIncoming(store.root, 'task-1', 'export'));
  const first = must(await incoming.createFile('persisted.zip'));
  await first.write(Buffer.from('half of an exp'));
  await first.abandon();
  const second = must(await incoming.createFile('persisted.zip'));
  expect(must(await second.finish())).toMatchObject({ sizeBytes: 0 });
});

test('a second try of a secure backup does not see the files of the first', async () => {
  await using store = await temporaryStore();
  {
    await using incoming = must(await openIncoming(store.root, 'task-1', 'secure-backup'));
    must(await must(await incoming.createFile('old.tgz')).finish());
  }
  await using incoming = must(await openIncoming(store.root, 'task-1', 'secure-backup'));
  await expect(readFile(incoming.pathOf('old.tgz'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each(['', '.', '..', 'a/b', 'a\0b'])('the name %j is a bug of the caller', async (name) => {
  await using store = await temporaryStore();
  await using incoming = must(await openIncoming(store.root, 'task-1', 'export'));
  await expect(incoming.createFile(name)).rejects.toThrow('plain name');
});
