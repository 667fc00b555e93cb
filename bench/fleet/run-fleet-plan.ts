import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Client } from '@stillpoint/contract';
import { type Database, openDatabase } from '@stillpoint/database';
import { processTreeCpu } from './process-tree-cpu.ts';
import { type FleetProcess, type FleetSize, login, startFleetProcess } from './start-fleet-process.ts';
import { type NodeProcess, startNodeProcess } from './start-node-process.ts';

/** One run of a plan that exports every domain of every device. */
export interface FleetRun {
  readonly tasks: number;
  /** From queueing the run on: those that find out what there is to back up included. */
  readonly requests: number;
  /** From the start of the first task on. */
  readonly taskRequests: number;
  /** From queueing the run to its end; what comes before its first task included. */
  readonly wallSeconds: number;
  /** From the start of the first task to the end of the last. */
  readonly taskSeconds: number;
  /** From queueing the run to its end. */
  readonly cpu: FleetCpu;
}

/** CPU seconds by who used them. */
export interface FleetCpu {
  /** The processes that decide, record and talk to the devices; what a node is. */
  readonly servers: number;
  /** The children of the servers, which download, verify and store. */
  readonly movers: number;
  readonly postgres: number;
  /** The pretend devices, which no fleet of real ones has. */
  readonly fleet: number;
}

/** How a fleet is backed up. */
export interface FleetPlan extends FleetSize {
  readonly nodes: number;
  /** Devices at once on each node. */
  readonly parallel: number;
}

const LOOK_AGAIN_MS = 500;

/**
 * Backs up a fresh fleet with fresh nodes on a fresh PostgreSQL below `parent`: one domain of each device to warm up, then
 * all of it, which is measured. Nothing is left behind.
 */
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
  const nodes: NodeProcess[] = [];
  for (let at = 1; at <= plan.nodes; at += 1)
    nodes.push(stack.use(await startNodeProcess(join(folder, `node-${at}`), url, secretKey)));
  const { client } = nodes[0] as NodeProcess;
  const store = join(folder, 'store');
  mkdirSync(store);
  good(await client.applyDocument({ query: {}, body: documentFor(fleet, store, plan.parallel) }));
  good(await client.initStore());
  const postmaster = await postmasterOf(database);
  const readCpu = (): FleetCpu => {
    const ofNodes = nodes.map((node) => node.cpu());
    const { own, children } = processTreeCpu(postmaster);
    return {
      servers: ofNodes.reduce((sum, cpu) => sum + cpu.own, 0),
      movers: ofNodes.reduce((sum, cpu) => sum + cpu.children, 0),
      postgres: own + children,
      fleet: fleet.cpuSeconds(),
    };
  };
  await runPlan(client, 'warm-up');
  const cpuBefore = readCpu();
  const startedAt = Date.now();
  const id = await runPlan(client, 'all');
  const wallSeconds = (Date.now() - startedAt) / 1000;
  const cpu = cpuSince(cpuBefore, readCpu());
  const { rows } = await database.pool.query<{ tasks: number; first: Date; last: Date }>(
    `select count(*)::int4 as tasks, min(started_at) as first, max(ended_at) as last
     from task where status = 'SUCCEEDED' and run_id = $1`,
    [id],
  );
  const { tasks, first, last } = rows[0] as (typeof rows)[number];
  return {
    tasks,
    requests: await fleet.countRequests(startedAt),
    taskRequests: await fleet.countRequests(first.getTime()),
    wallSeconds,
    taskSeconds: (last.getTime() - first.getTime()) / 1000,
    cpu,
  };
}

/** Runs a plan to its end, which must be a good one; answers the id of the run. */
async function runPlan(client: Client, name: string): Promise<string> {
  const { id } = good(await client.runPlan({ params: { name }, body: {} }));
  for (;;) {
    const run = good(await client.getRun({ params: { id } }));
    if (run.status === 'SUCCEEDED') return id;
    if (run.endedAt !== null) throw new Error(`The run ended ${run.status}.`);
    await delay(LOOK_AGAIN_MS);
  }
}

function cpuSince(before: FleetCpu, after: FleetCpu): FleetCpu {
  return {
    servers: after.servers - before.servers,
    movers: after.movers - before.movers,
    postgres: after.postgres - before.postgres,
    fleet: after.fleet - before.fleet,
  };
}

/** Its id is the first line of a file that PostgreSQL keeps while it runs. */
async function postmasterOf({ pool }: Database<unknown>): Promise<number> {
  const { rows } = await pool.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
  return Number.parseInt(readFileSync(join(rows[0]?.folder ?? '', 'postmaster.pid'), 'utf8'), 10);
}

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
    // The first one starts the movers and has the code of all processes compiled, which takes as long as hundreds of tasks.
    plans: [planFor('warm-up', 'DOMAIN1'), planFor('all', 'DOMAIN*')],
  };
}

const planFor = (name: string, domains: string) => ({
  name,
  window: 'none' as const,
  activities: [{ exportDomain: { devices: '*', domains, quiesce: false } }],
});

/** The value of an answer that must be good. */
function good<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.detail}`);
  return answer.value;
}
