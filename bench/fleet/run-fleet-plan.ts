import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '@stillpoint/contract';
import { openDatabase } from '@stillpoint/database';
import { type FleetProcess, type FleetSize, login, startFleetProcess } from './start-fleet-process.ts';
import { startNodeProcess } from './start-node-process.ts';

/** One run of a plan that exports every domain of every device. */
export interface FleetRun {
  readonly tasks: number;
  readonly requests: number;
  /** From queueing the run to its end; what comes before its first task included. */
  readonly wallSeconds: number;
  /** From the start of the first task to the end of the last. */
  readonly taskSeconds: number;
  /** Of all nodes and their movers. */
  readonly cpuSeconds: number;
}

/** How a fleet is backed up. */
export interface FleetPlan extends FleetSize {
  readonly nodes: number;
  /** Devices at once on each node. */
  readonly parallel: number;
}

const LOOK_AGAIN_MS = 250;

/** Backs up a fresh fleet with fresh nodes on a fresh PostgreSQL below `parent`, once; nothing is left behind. */
export async function runFleetPlan(parent: string, plan: FleetPlan): Promise<FleetRun> {
  const folder = mkdtempSync(join(parent, 'stillpoint-fleet-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  try {
    await using fleet = await startFleetProcess(folder, plan);
    return await backUp(folder, fleet, plan);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

async function backUp(folder: string, fleet: FleetProcess, plan: FleetPlan): Promise<FleetRun> {
  // PostgreSQL as operators have it, fsync included; the nodes come to it as to any other server.
  const database = await openDatabase({ dataDirectory: join(folder, 'database') });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => database.close());
  const url = urlOf(database.connectionOptions);
  const secretKey = randomBytes(32).toString('base64');
  const nodes = [];
  for (let at = 1; at <= plan.nodes; at += 1)
    nodes.push(stack.use(await startNodeProcess(join(folder, `node-${at}`), url, secretKey)));
  const [{ client }] = nodes as [(typeof nodes)[number]];
  const store = join(folder, 'store');
  mkdirSync(store);
  good(await client.applyDocument({ query: {}, body: documentFor(fleet, store, plan.parallel) }));
  good(await client.initStore());
  const before = { requests: await fleet.countRequests(), cpu: cpuOf(nodes) };
  const startedAt = performance.now();
  const { id } = good(await client.runPlan({ params: { name: 'all' }, body: {} }));
  for (;;) {
    const run = good(await client.getRun({ params: { id } }));
    if (run.endedAt !== null) {
      if (run.status !== 'SUCCEEDED') throw new Error(`The run ended ${run.status}.`);
      break;
    }
    await delay(LOOK_AGAIN_MS);
  }
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const { rows } = await database.pool.query<{ tasks: number; seconds: number }>(
    `select count(*)::int4 as tasks, extract(epoch from max(ended_at) - min(started_at))::float8 as seconds
     from task where status = 'SUCCEEDED'`,
  );
  const { tasks, seconds } = rows[0] ?? { tasks: 0, seconds: 0 };
  return {
    tasks,
    requests: (await fleet.countRequests()) - before.requests,
    wallSeconds,
    taskSeconds: seconds,
    cpuSeconds: cpuOf(nodes) - before.cpu,
  };
}

const cpuOf = (nodes: readonly { cpuSeconds(): number }[]): number =>
  nodes.reduce((sum, node) => sum + node.cpuSeconds(), 0);

function urlOf(
  options: { host: string; user: string; database: string } | { connectionString: string },
): string {
  if ('connectionString' in options) return options.connectionString;
  const { host, user, database } = options;
  return `postgresql://${user}@/${database}?host=${encodeURIComponent(host)}`;
}

function documentFor(fleet: FleetProcess, store: string, parallel: number) {
  return {
    parameters: {
      'store.path': store,
      'store.requireRemoteMount': false,
      'store.minFreePercent': 0,
      'devices.parallel': parallel,
    },
    devices: fleet.devices.map(({ name, host, port, certificateSha256 }) => ({
      ...login,
      name,
      host,
      somaPort: port,
      tls: { pin: certificateSha256 },
    })),
    plans: [
      {
        name: 'all',
        window: 'none' as const,
        activities: [{ exportDomain: { devices: '*', domains: 'DOMAIN*', quiesce: false } }],
      },
    ],
  };
}

/** The value of an answer that must be good. */
function good<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.detail}`);
  return answer.value;
}
