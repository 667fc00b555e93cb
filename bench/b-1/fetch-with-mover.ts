import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@stillpoint/datapower';
import { type MoverOrder, type MoverPool, type MoverReply, openMoverPool } from '@stillpoint/server';
import { verifyExport } from '@stillpoint/store';
import { cpuSecondsOf, forgetPeakOf, peakResidentBytesOf, residentBytesOf } from './process-figures.ts';
import { domains, login, type RunningSimulator } from './start-simulator.ts';

/** What one order to a new mover took. */
export interface MoverFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Resident memory of the mover when it had carried out a tiny order and waited for the next one. */
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** How long it takes to verify the same file once more and alone. */
  readonly verifySeconds: number;
}

const inTime = { deadlineMs: 60 * 60_000 };

/** Has the large export fetched by the server's own movers into a store in `folder`. */
export async function fetchWithMover(folder: string, simulator: RunningSimulator): Promise<MoverFigures> {
  const root = join(folder, 'store');
  await mkdir(root);
  const pool = openMoverPool({ size: 1, shortSize: 1 });
  try {
    return await fetchWith(pool, root, simulator);
  } finally {
    await pool.close();
    await rm(root, { recursive: true });
  }
}

async function fetchWith(pool: MoverPool, root: string, simulator: RunningSimulator): Promise<MoverFigures> {
  const store = { root, requiresRemoteMount: false, expectedStoreId: null };
  must(await pool.order({ kind: 'initStore', location: store }, inTime));
  const forShortOrders = new Set(pool.processIds());
  const orderOf = (domain: string): MoverOrder<'fetchExport'> => ({
    kind: 'fetchExport',
    store,
    source: sourceOf(simulator),
    taskId: domain,
    domains: [domain],
    isPersisted: true,
    comment: '',
    verifiesHashes: true,
  });
  must(await pool.order(orderOf(domains.tiny), inTime));
  const mover = pool.processIds().find((processId) => !forShortOrders.has(processId));
  if (mover === undefined) throw new Error('No mover is left to be measured.');
  forgetPeakOf(mover);
  const idleBytes = residentBytesOf(mover);
  const cpuSecondsBefore = cpuSecondsOf(mover);
  const startedAt = performance.now();
  const { file } = must(await pool.order(orderOf(domains.large), inTime));
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = cpuSecondsOf(mover) - cpuSecondsBefore;
  const peakBytes = peakResidentBytesOf(mover);
  const verifySeconds = await verifyAlone(
    join(root, '.stillpoint/incoming', domains.large, 'export', file.name),
  );
  return {
    seconds,
    cpuSeconds,
    idleBytes,
    peakBytes,
    verifySeconds,
    sizeBytes: file.sizeBytes,
    sha256: file.sha256,
  };
}

async function verifyAlone(path: string): Promise<number> {
  const startedAt = performance.now();
  must(
    await verifyExport(path, { domains: [domains.large], verifiesHashes: true, expectedSerialNumber: null }),
  );
  return (performance.now() - startedAt) / 1000;
}

function sourceOf({ host, port, certificateSha256 }: RunningSimulator): MoverOrder<'fetchExport'>['source'] {
  const tls = { kind: 'pin', sha256: certificateSha256 } as const;
  const { username, password } = login;
  return {
    address: { host, port, username, password: new Secret(password), tls },
    deadlines: {},
    expectedSerialNumber: null,
  };
}

function must<T>(reply: { ok: true; value: T } | Extract<MoverReply, { ok: false }>): T {
  if (!reply.ok) throw new Error(`${reply.fault.code}: ${reply.fault.detail}`);
  return reply.value;
}
