import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  checkStore,
  type Incoming,
  type IncomingFile,
  initStore,
  openIncoming,
  openStore,
  publishBackup,
  type Reply,
  rescanStore,
  type StoreRoot,
} from '../../packages/store/src/index.ts';
import { askUnderMount } from './testing/ask-under-mount.ts';
import { openNetworkMount } from './testing/network-mount.ts';

const notMounted = (detail: string) => ({
  code: 'STORE_IS_NOT_MOUNTED',
  detail: expect.stringContaining(detail),
});
const remote = (root: string) => ({ root, requiresRemoteMount: true, expectedStoreId: null });
const initRemote = (root: string) => initStore({ root, requiresRemoteMount: true });
const checkRemote = (root: string, expectedStoreId: string | null = null) =>
  checkStore({ ...remote(root), expectedStoreId, minFreePercent: 0 });
const filesBelow = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

let looks = 0;

/** To be called when no mount is over the folder: whatever lies there lies on the local disk. */
function expectNothingOnLocalDisk(folder: string): void {
  looks += 1;
  expect(filesBelow(folder)).toEqual([]);
}

afterAll(() =>
  console.log(`R-06 store: ${looks} looks below a mount that was away or swapped: 0 bytes on the root disk`),
);

function must<T>(reply: Reply<T>): T {
  if (!reply.ok) throw new Error(`${reply.fault.code}: ${reply.fault.detail}`);
  return reply.value;
}

function codeOf(reply: Reply<unknown>): string {
  return reply.ok ? 'ok' : reply.fault.code;
}

interface Arriving extends AsyncDisposable {
  readonly store: StoreRoot;
  readonly incoming: Incoming;
  readonly file: IncomingFile;
}

/** Begins an incoming file in the store and writes the first bytes of it. */
async function beginFile(root: string): Promise<Arriving> {
  const store = must(await openStore(remote(root)));
  const incoming = must(await openIncoming(store, 'task-1', 'export'));
  const file = must(await incoming.createFile('persisted.zip'));
  return {
    store,
    incoming,
    file,
    async [Symbol.asyncDispose]() {
      await file.abandon();
      await incoming[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

describe('a store on a real network mount', () => {
  it('is accepted, and says that it is one', async () => {
    await using network = await openNetworkMount();
    const { mountPoint, served } = network;
    expect(codeOf(await checkRemote(mountPoint))).toBe('STORE_MARKER_MISSING');
    const { storeId } = must(await initRemote(mountPoint));
    expect(filesBelow(served)).toEqual(['.stillpoint', '.stillpoint/store.json']);
    expect(must(await checkRemote(mountPoint, storeId))).toMatchObject({
      storeId,
      fileSystem: 'fuse.sshfs',
      source: expect.stringContaining('@127.0.0.1:'),
      mountPoint,
    });
  });

  it('is accepted through a link from the local disk, and in a folder below the mount point', async () => {
    await using network = await openNetworkMount();
    const link = join(network.folder, 'link');
    symlinkSync(network.mountPoint, link);
    const { storeId } = must(await initRemote(link));
    expect(must(await checkRemote(link, storeId)).mountPoint).toBe(network.mountPoint);
    mkdirSync(join(network.served, 'backups'));
    expect(codeOf(await initRemote(join(network.mountPoint, 'backups')))).toBe('ok');
  });

  it('is accepted where the network mount is bound to a folder of the local disk', async () => {
    await using network = await openNetworkMount();
    must(await initRemote(network.mountPoint));
    const at = join(network.folder, 'bound');
    mkdirSync(at);
    const covering = { kind: 'bind', from: network.mountPoint, at } as const;
    const answers = askUnderMount({ covering, root: at });
    expect([answers.setUp, answers.check, answers.receive].map(({ code }) => code)).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
    expectNothingOnLocalDisk(at);
  });

  it('takes a backup in, publishes it and finds it again', async () => {
    await using network = await openNetworkMount();
    must(await initRemote(network.mountPoint));
    await using root = must(await openStore(remote(network.mountPoint)));
    await using incoming = must(await openIncoming(root, 'task-1', 'export'));
    const sink = must(await incoming.createFile('persisted.zip'));
    await sink.write(new Uint8Array(3_000_000).fill(7));
    const received = must(await sink.finish());
    const manifest = must(
      await publishBackup(root, {
        taskId: 'task-1',
        target: { kind: 'domain', domain: 'A' },
        device: {
          name: 'dp1',
          serialNumber: '0000001',
          model: null,
          firmwareVersion: null,
          firmwareBuild: null,
        },
        domains: ['A'],
        files: [{ ...received, isPersisted: true }],
        takenAt: Date.UTC(2026, 0, 1),
        completedAt: Date.UTC(2026, 0, 1),
        timeZone: 'UTC',
        stillpointVersion: '0.1.0',
      }),
    );
    const sha256 = createHash('sha256').update(new Uint8Array(3_000_000).fill(7)).digest('hex');
    expect(manifest.files).toMatchObject([{ sizeBytes: 3_000_000, sha256 }]);
    expect(must(await rescanStore(root, { checksHashes: true }))).toMatchObject({
      backups: [{ taskId: 'task-1' }],
      problems: [],
    });
    expect(filesBelow(network.served)).toContain(manifest.files[0]?.path);
  });
});

describe('a store that must be a network mount', () => {
  it('is refused on the local disk', async () => {
    await using network = await openNetworkMount();
    for (const root of ['/', network.folder, network.served]) {
      const refused = { ok: false, fault: { ...notMounted(root), effect: 'none' } };
      expect(await checkRemote(root)).toMatchObject(refused);
      expect(await openStore(remote(root))).toMatchObject(refused);
      if (root !== '/') expect(await initRemote(root)).toMatchObject(refused);
    }
    expect(filesBelow(network.served)).toEqual([]);
  });

  it('is refused in memory, also when that was mounted over the network mount', async () => {
    await using network = await openNetworkMount();
    must(await initRemote(network.mountPoint));
    const refused = notMounted('tmpfs');
    const answers = { setUp: refused, check: refused, receive: refused, files: [] };
    for (const at of [network.served, network.mountPoint]) {
      expect(askUnderMount({ covering: { kind: 'tmpfs', at }, root: at })).toMatchObject(answers);
    }
    expect(codeOf(await checkRemote(network.mountPoint))).toBe('ok');
  });

  it('is refused on a folder of the local disk that is bound into the network mount', async () => {
    await using network = await openNetworkMount();
    must(await initRemote(network.mountPoint));
    const from = join(network.folder, 'local');
    mkdirSync(from);
    mkdirSync(join(network.served, 'bound'));
    const at = join(network.mountPoint, 'bound');
    const refused = notMounted(at);
    const answers = askUnderMount({ covering: { kind: 'bind', from, at }, root: at });
    expect(answers).toMatchObject({ setUp: refused, check: refused, receive: refused, files: [] });
    expectNothingOnLocalDisk(from);
  });

  it('receives nothing into a working folder that is bound in from the local disk', async () => {
    await using network = await openNetworkMount();
    must(await initRemote(network.mountPoint));
    const from = join(network.folder, 'local');
    mkdirSync(from);
    mkdirSync(join(network.served, '.stillpoint', 'incoming'));
    const at = join(network.mountPoint, '.stillpoint', 'incoming');
    const answers = askUnderMount({ covering: { kind: 'bind', from, at }, root: network.mountPoint });
    expect(answers).toMatchObject({ receive: { code: 'STORE_PATH_LEAVES_STORE' }, files: [] });
    expectNothingOnLocalDisk(from);
  });

  it('is refused on the bare mount point, where nothing is written, and accepted once it is back', async () => {
    await using network = await openNetworkMount();
    const { mountPoint } = network;
    const { storeId } = must(await initRemote(mountPoint));
    network.unmount();
    const refused = { ok: false, fault: notMounted(mountPoint) };
    expect(await checkRemote(mountPoint, storeId)).toMatchObject(refused);
    expect(await initRemote(mountPoint)).toMatchObject(refused);
    expect(await openStore(remote(mountPoint))).toMatchObject(refused);
    expectNothingOnLocalDisk(mountPoint);
    await network.mount();
    expect(codeOf(await checkRemote(mountPoint, storeId))).toBe('ok');
  });

  it('is refused when another network mount stands in its place, without a marker or with its own', async () => {
    await using network = await openNetworkMount();
    const { mountPoint } = network;
    const { storeId } = must(await initRemote(mountPoint));
    network.unmount();
    await using other = await openNetworkMount(mountPoint);
    expect(codeOf(await checkRemote(mountPoint, storeId))).toBe('STORE_MARKER_MISSING');
    expect(codeOf(await openStore(remote(mountPoint)))).toBe('STORE_MARKER_MISSING');
    expect(filesBelow(other.served)).toEqual([]);
    const { storeId: otherId } = must(await initRemote(mountPoint));
    expect(otherId).not.toBe(storeId);
    expect(codeOf(await checkRemote(mountPoint, storeId))).toBe('STORE_MARKER_DIFFERS');
    expect(codeOf(await checkRemote(mountPoint, otherId))).toBe('ok');
  });
});

describe('a network mount that goes away while a file arrives', () => {
  const chunk = new Uint8Array(2 * 1024 * 1024).fill(1);

  it('leaves nothing on the local disk when it is unmounted', async () => {
    await using network = await openNetworkMount();
    const { mountPoint, served } = network;
    must(await initRemote(mountPoint));
    await using arriving = await beginFile(mountPoint);
    await arriving.file.write(chunk);
    network.unmount();
    await arriving.file.write(chunk);
    const second = must(await arriving.incoming.createFile('nonpersisted.zip'));
    await second.abandon();
    const next = must(await openIncoming(arriving.store, 'task-2', 'export'));
    await next[Symbol.asyncDispose]();
    const received = await arriving.file.finish();
    expectNothingOnLocalDisk(mountPoint);
    // Held open, the mount is out of the folder tree but still there: what is said to be written is on the server.
    expect(received).toMatchObject({ ok: true, value: { sizeBytes: 2 * chunk.length } });
    const incoming = join(served, '.stillpoint', 'incoming');
    expect(filesBelow(incoming)).toEqual([
      'task-1',
      'task-1/export',
      'task-1/export/nonpersisted.zip',
      'task-1/export/persisted.zip',
      'task-2',
      'task-2/export',
    ]);
    expect(statSync(join(incoming, 'task-1/export/persisted.zip')).size).toBe(2 * chunk.length);
  });

  it('leaves nothing on the local disk when its connection is lost, and says so', async () => {
    await using network = await openNetworkMount();
    const { mountPoint } = network;
    must(await initRemote(mountPoint));
    await using arriving = await beginFile(mountPoint);
    await arriving.file.write(chunk);
    await network.disconnect();
    expect(codeOf(await checkRemote(mountPoint))).toBe('STORE_CONNECTION_LOST');
    network.unmount();
    // Whether a later write or only the end of the file tells the loss is up to the kernel.
    await Promise.resolve(arriving.file.write(chunk)).catch(() => undefined);
    expect(codeOf(await arriving.incoming.createFile('nonpersisted.zip'))).toBe('STORE_CONNECTION_LOST');
    expect(codeOf(await openIncoming(arriving.store, 'task-2', 'export'))).toBe('STORE_CONNECTION_LOST');
    expect(codeOf(await arriving.file.finish())).toBe('STORE_CONNECTION_LOST');
    expectNothingOnLocalDisk(mountPoint);
    await network.mount();
    expect(codeOf(await checkRemote(mountPoint))).toBe('ok');
  });
});
