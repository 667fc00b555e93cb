import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestDataDirectory, type TestDataDirectory } from '../testing/make-test-data-directory.ts';
import { serveInChild } from '../testing/serve-in-child.ts';
import { type EmbeddedOptions, openEmbeddedPostgres } from './embedded-postgres.ts';

const isRoot = process.geteuid?.() === 0;
/** A kernel that refuses user namespaces, as far as this program can see. */
const refused: EmbeddedOptions = { unshareCommand: '/bin/false', extraSettings: { fsync: 'off' } };

let root: TestDataDirectory;
beforeAll(() => {
  root = makeTestDataDirectory();
  chmodSync(root.path, 0o755);
});
afterAll(() => root.dispose());

function uidOf(pid: number): number {
  return statSync(`/proc/${pid}`).uid;
}

function nobody(): { uid: number; gid: number } {
  const numberOf = (option: string) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }));
  return { uid: numberOf('-u'), gid: numberOf('-g') };
}

test('the cluster belongs to whom the program runs as', async () => {
  const path = join(root.path, 'own');
  const server = await openEmbeddedPostgres(path);
  await server.close();
  expect(statSync(join(path, 'postgres/cluster')).uid).toBe(process.geteuid?.());
  // Nobody else could pass this folder: that is the point of the user namespace.
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

// Only root can become somebody else; whoever is not root has nothing to choose, and these would say nothing.
if (isRoot) {
  test('a program that is not root runs PostgreSQL as itself', async () => {
    const path = join(root.path, 'given');
    mkdirSync(path);
    chownSync(path, nobody().uid, nobody().gid);
    const child = await serveInChild(path, nobody());
    expect(child.fault).toBeUndefined();
    expect(child.uid).toBe(nobody().uid);
    expect(uidOf(child.postgresPid)).toBe(nobody().uid);
    await child.close();
    // Root that comes later leaves the cluster to the user who owns it.
    const server = await openEmbeddedPostgres(path);
    expect(uidOf(server.pid())).toBe(nobody().uid);
    await server.close();
  });

  test('root without user namespaces runs PostgreSQL as nobody', async () => {
    const path = join(root.path, 'passable');
    const server = await openEmbeddedPostgres(path, refused);
    expect(uidOf(server.pid())).toBe(nobody().uid);
    await server.close();
    expect(statSync(path).mode & 0o777).toBe(0o711);
    const again = await openEmbeddedPostgres(path, refused);
    await again.close();
  });

  test('a folder that nobody may not pass is named with the remedy', async () => {
    const closed = join(root.path, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    await expect(openEmbeddedPostgres(join(closed, 'data'), refused)).rejects.toMatchObject({
      fault: {
        code: 'DATA_DIRECTORY_NOT_WRITABLE',
        detail: expect.stringMatching(new RegExp(`nobody, who may not pass ${closed};.*DATABASE_URL`)),
      },
    });
  });

  test('a cluster of root without user namespaces is refused with the remedy', async () => {
    const path = join(root.path, 'of-root');
    const server = await openEmbeddedPostgres(path);
    await server.close();
    await expect(openEmbeddedPostgres(path, refused)).rejects.toMatchObject({
      fault: { code: 'EMBEDDED_POSTGRES_NOT_AVAILABLE', detail: expect.stringContaining('chown') },
    });
  });
}
