import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Answer } from '@stillpoint/contract';
import { openDatabase } from '@stillpoint/database';
import { type Appliance, openAppliance, Secret } from '@stillpoint/datapower';
import {
  type FleetDevice,
  type FleetProcess,
  login,
  startFleetProcess,
} from './fleet/start-fleet-process.ts';
import { type NodeProcess, startNodeProcess } from './fleet/start-node-process.ts';
import { machine, printFigure } from './machine.ts';

// B-3: the preview of a plan that exports every domain of a whole fleet, twice. The first asks each device for its domains,
// and for each domain whether it belongs to API Connect; the repeated one remembers the latter. The ratios are to the
// same requests by the same client with nothing around them, as many devices at once, in the same run and in turns. What
// the pretend fleet needs to answer is in both.

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: '500' },
    domains: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '16' },
    latency: { type: 'string', default: '0' },
    runs: { type: 'string', default: '3' },
    json: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const size = {
  devices: Number(options.devices),
  domains: Number(options.domains),
  latencyMs: Number(options.latency),
};
const parallel = Number(options.parallel);
const bytesPerMebibyte = 1024 * 1024;

/** Wall and CPU time of the server in seconds. */
type Preview = { readonly wall: number; readonly cpu: number; readonly requests: number };

type Round = {
  readonly first: Preview;
  readonly repeated: Preview;
  readonly bare: number;
  readonly statusOnly: number;
};

let arePinsUpperCase = false;
const folder = mkdtempSync(join(options.folder, 'stillpoint-preview-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const { rounds, peakBytes, idleBytes } = await measure();
const median = (of: (round: Round) => number): number =>
  rounds.map(of).toSorted((one, other) => one - other)[Math.floor(rounds.length / 2)] ?? 0;
printFigure('b-3.preview.tasks', size.devices * size.domains, 'tasks');
printPreview(
  'first',
  ({ first }) => first,
  ({ bare }) => bare,
);
printPreview(
  'repeated',
  ({ repeated }) => repeated,
  ({ statusOnly }) => statusOnly,
);
printFigure(
  'b-3.bare-requests.wall',
  median(({ bare }) => bare),
  's',
);
printFigure(
  'b-3.bare-domain-status.wall',
  median(({ statusOnly }) => statusOnly),
  's',
);
printFigure('b-3.server.idle-memory', idleBytes / bytesPerMebibyte, 'MiB');
printFigure('b-3.server.peak-memory', peakBytes / bytesPerMebibyte, 'MiB');
if (options.json !== undefined) {
  const results = { size, parallel, rounds, idleBytes, peakBytes };
  await writeFile(options.json, `${JSON.stringify({ benchmark: 'B-3', machine, results }, null, 2)}\n`);
}

function printPreview(
  which: string,
  previewOf: (round: Round) => Preview,
  bareOf: (round: Round) => number,
): void {
  const prefix = `b-3.${which}-preview`;
  printFigure(
    `${prefix}.requests`,
    median((round) => previewOf(round).requests),
    'requests',
  );
  printFigure(
    `${prefix}.wall`,
    median((round) => previewOf(round).wall),
    's',
    median((round) => previewOf(round).wall / bareOf(round)),
  );
  printFigure(
    `${prefix}.cpu-of-server`,
    median((round) => previewOf(round).cpu),
    's',
  );
}

async function measure(): Promise<{ rounds: Round[]; peakBytes: number; idleBytes: number }> {
  await using stack = new AsyncDisposableStack();
  const fleet = stack.use(await startFleetProcess(folder, size));
  const database = await openDatabase({ dataDirectory: join(folder, 'database') });
  stack.defer(() => database.close());
  const { connectionOptions } = database;
  if (!('host' in connectionOptions)) throw new Error('The database is not the embedded one.');
  const { host, user, database: name } = connectionOptions;
  const url = `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}`;
  const node = stack.use(
    await startNodeProcess(join(folder, 'node'), url, randomBytes(32).toString('base64')),
  );
  await applyFleet(node, fleet.devices);
  good(await node.client.initStore());
  const idleBytes = memoryOf(node, 'VmRSS');
  // The first round has code compiled; it is not counted.
  await measureRound(node, fleet);
  const rounds: Round[] = [];
  for (let run = Number(options.runs); run > 0; run -= 1) rounds.push(await measureRound(node, fleet));
  return { rounds, idleBytes, peakBytes: memoryOf(node, 'VmHWM') };
}

async function measureRound(node: NodeProcess, fleet: FleetProcess): Promise<Round> {
  await forgetAll(node, fleet.devices);
  const preview = async (): Promise<Preview> => {
    const before = { requests: await fleet.countRequests(), cpu: node.cpu().own };
    const wall = await secondsOf(() => previewOnce(node));
    return {
      wall,
      cpu: node.cpu().own - before.cpu,
      requests: (await fleet.countRequests()) - before.requests,
    };
  };
  const first = await preview();
  const repeated = await preview();
  // The first preview opens every connection, and so do the requests that it is compared with.
  const appliances = fleet.devices.map(openDevice);
  try {
    const bare = await secondsOf(() => askAll(appliances, true));
    const statusOnly = await secondsOf(() => askAll(appliances, false));
    return { first, repeated, bare, statusOnly };
  } finally {
    await Promise.all(appliances.map((appliance) => appliance.close()));
  }
}

/** Another way of writing each device's certificate is a change of the device, of which nothing is remembered then. */
async function forgetAll(node: NodeProcess, devices: readonly FleetDevice[]): Promise<void> {
  arePinsUpperCase = !arePinsUpperCase;
  const written = (pin: string): string => (arePinsUpperCase ? pin.toUpperCase() : pin.toLowerCase());
  await applyFleet(
    node,
    devices.map((device) => ({ ...device, certificateSha256: written(device.certificateSha256) })),
  );
}

async function applyFleet({ client }: NodeProcess, devices: readonly FleetDevice[]): Promise<void> {
  const store = join(folder, 'store');
  mkdirSync(store, { recursive: true });
  const body = {
    parameters: {
      'store.path': store,
      'store.requireRemoteMount': false,
      'store.minFreePercent': 0,
      'devices.parallel': parallel,
    },
    devices: devices.map(({ name, host, port, certificateSha256 }) => ({
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
        activities: [{ exportDomain: { devices: '*', domains: 'DOMAIN*' } }],
      },
    ],
  };
  good(await client.applyDocument({ query: {}, body }));
}

async function previewOnce({ client }: NodeProcess): Promise<void> {
  const { tasks } = good(await client.previewPlan({ params: { name: 'all' } }));
  const toDo = tasks.filter(({ status }) => status === 'WAITING').length;
  if (toDo !== size.devices * size.domains) throw new Error(`The preview has ${toDo} tasks to do.`);
}

function openDevice({ host, port, certificateSha256 }: FleetDevice): Appliance {
  const { username, password } = login;
  const tls = { kind: 'pin', sha256: certificateSha256 } as const;
  return openAppliance({ host, port, username, password: new Secret(password), tls });
}

/** What a first preview asks, or only for the domains as a repeated one does, and nothing else. */
async function askAll(appliances: readonly Appliance[], asksDomains: boolean): Promise<void> {
  const left = appliances.values();
  const worker = async (): Promise<void> => {
    for (const appliance of left) {
      const rows = await appliance.readDomainStatus();
      if (!rows.ok) throw new Error(rows.fault.detail);
      if (!asksDomains) continue;
      for (const { domain } of rows.value)
        if (domain !== 'default') await appliance.findApiConnectGateway(domain);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return (performance.now() - begunAt) / 1000;
}

/** Resident memory of the server's own process, now or at its peak. */
function memoryOf({ processId }: NodeProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1]);
}

/** The value of an answer that must be good. */
function good<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.detail}`);
  return answer.value;
}
