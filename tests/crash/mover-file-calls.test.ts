import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MoverOrder, MoverReply } from '../../packages/server/src/index.ts';
import { type Fleet, startFleet } from '../../packages/simulator/src/index.ts';
import type { PublishRequest, ReceivedFile } from '../../packages/store/src/index.ts';
import { cleanEnvironment } from './testing/clean-environment.ts';
import type { Trace } from './testing/fail-file-calls.ts';
import { listStore } from './testing/list-store.ts';

const mover = fileURLToPath(new URL('../../packages/server/src/movers/mover.ts', import.meta.url));
const preload = new URL('./testing/fail-file-calls.ts', import.meta.url).href;

const codes = {
  EIO: 'STORE_IO_ERROR',
  EROFS: 'STORE_READ_ONLY',
  ESTALE: 'STORE_CONNECTION_LOST',
  EACCES: 'STORE_ACCESS_DENIED',
  EMFILE: 'STORE_TOO_MANY_OPEN_FILES',
  ENOSPC: 'STORE_OUT_OF_SPACE',
  EDQUOT: 'STORE_OUT_OF_SPACE',
} as const;
const errnos = Object.keys(codes) as (keyof typeof codes)[];
const never = Number.MAX_SAFE_INTEGER;

interface Answer {
  readonly reply: MoverReply;
  readonly trace: Trace;
}

let root: string;
let child: ChildProcess;
let ended: Promise<unknown>;
let fleet: Fleet;
let orderId = 0;

beforeAll(async () => {
  root = mkdtempSync('/dev/shm/stillpoint-mover-');
  fleet = await startFleet({ devices: [{ name: 'dp1', domains: [{ name: 'A' }] }] });
  child = fork(mover, [], {
    env: cleanEnvironment(),
    execArgv: ['--import', preload],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  ended = once(child, 'exit');
});

afterAll(async () => {
  if (child.connected) child.disconnect();
  await ended;
  await fleet.stop();
  rmSync(root, { recursive: true });
});

/** Gives the mover an order and has one of its file calls fail. */
async function ask(order: object, failsAtCall = never, errno = 'EIO'): Promise<Answer> {
  orderId += 1;
  child.send({ kind: 'order', orderId, order, until: null, failure: { failsAtCall, errno } });
  const replied = new Promise<Answer>((resolve) => {
    const hear = (said: Answer & { kind: string; orderId: number }): void => {
      if (said.kind !== 'reply' || said.orderId !== orderId) return;
      child.off('message', hear);
      resolve(said);
    };
    child.on('message', hear);
  });
  const died = ended.then(() => {
    throw new Error(`the mover died of ${errno} at call ${failsAtCall} of ${JSON.stringify(order)}`);
  });
  return Promise.race([replied, died]);
}

const store = () => ({ root, requiresRemoteMount: false, expectedStoreId: null });

function fetching(): object {
  const { host, port, certificateSha256 } = fleet.device('dp1').address;
  const tls = { kind: 'pin', sha256: certificateSha256 } as const;
  // As it goes through the channel: the password in clear.
  const address = { host, port, username: 'admin', password: 'admin-password', tls };
  const order: Omit<MoverOrder<'fetchExport'>, 'source'> = {
    kind: 'fetchExport',
    store: store(),
    taskId: 'task-1',
    domains: ['A'],
    isPersisted: true,
    comment: '',
    verifiesHashes: true,
  };
  return { ...order, source: { address, deadlines: {}, expectedSerialNumber: '0000001' } };
}

function publishing(file: ReceivedFile): object {
  const request: PublishRequest = {
    taskId: 'task-1',
    target: { kind: 'domain', domain: 'A' },
    device: { name: 'dp1', serialNumber: '0000001', model: null, firmwareVersion: null, firmwareBuild: null },
    domains: ['A'],
    files: [{ ...file, isPersisted: true }],
    takenAt: 0,
    completedAt: 1,
    timeZone: 'UTC',
    stillpointVersion: '0.1.0',
  };
  return { kind: 'publishBackup', store: store(), request };
}

const discarding = () => ({ kind: 'discardBackup', store: store(), taskId: 'task-1' });

function demand<T>({ reply }: Answer): T {
  if (!reply.ok) throw new Error(`${reply.fault.code}: ${reply.fault.detail}`);
  return reply.value as T;
}

let received: ReceivedFile;

async function fetchAgain(): Promise<void> {
  received = demand<{ file: ReceivedFile }>(await ask(fetching())).file;
}

async function publishAgain(): Promise<void> {
  await unpublish();
  demand(await ask(publishing(received)));
}

async function unpublish(): Promise<void> {
  demand(await ask(discarding()));
  await fetchAgain();
}

let failures = 0;

/**
 * Has the file calls of an order fail, or one of `every` so many, each with another error than the one before, and each
 * time puts back what was there.
 */
async function failEach(order: () => object, putBack: () => Promise<void>, every = 1): Promise<void> {
  const sound = await ask(order());
  demand(sound);
  await putBack();
  for (let index = 0; index < sound.trace.asked.length; index += every) {
    const errno = errnos[index % errnos.length] ?? 'EIO';
    const { reply, trace } = await ask(order(), index + 1, errno);
    failures += 1;
    if (!reply.ok)
      expect(reply.fault, `${errno} at ${trace.asked[index]}`).toMatchObject({ code: codes[errno] });
    expect(listStore(root).unlisted).toEqual([]);
    await putBack();
  }
}

it('a mover lives through every failing file call, tells it by its code, and leaves no descriptor open', async () => {
  const checking = () => ({ kind: 'checkStore', store: store(), minFreePercent: 0 });
  const asIs = async (): Promise<void> => undefined;
  demand(await ask({ kind: 'initStore', location: store() }));
  await publishAgain();
  const before = await ask(checking());
  const [path] = listStore(root).published;
  await failEach(checking, asIs);
  await failEach(() => ({ kind: 'rescan', store: store(), checksHashes: true }), asIs);
  await failEach(() => ({ kind: 'hashFile', store: store(), path }), asIs);
  await failEach(
    () => ({ kind: 'readFilePart', store: store(), path, offsetBytes: 0, lengthBytes: 9 }),
    asIs,
  );
  await failEach(discarding, publishAgain, 4);
  await unpublish();
  await failEach(fetching, asIs, 2);
  await fetchAgain();
  await failEach(() => publishing(received), unpublish, 4);
  const after = await ask(checking());
  expect(after.trace.openDescriptors).toBe(before.trace.openDescriptors);
  console.log(`R-04: ${failures} failing file calls in one mover process, which lived on`);
  expect(failures).toBeGreaterThan(200);
});
