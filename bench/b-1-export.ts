import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { CurlDownload } from './b-1/fetch-with-curl.ts';
import { fetchWithMover } from './b-1/fetch-with-mover.ts';
import { cpuSecondsOf } from './b-1/process-figures.ts';
import { type RunningSimulator, startSimulator } from './b-1/start-simulator.ts';
import { type Figure, type Round, summariseRounds } from './b-1/summarise-rounds.ts';
import { machine, printFigure } from './machine.ts';

// B-1: one export in one base64 text node over TLS on the loopback, by a mover and by curl in turn. One line per
// figure: name, value, unit, ratio of ours to curl's ("-" where there is none).

const unitBytes = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function readSize(text: string): number {
  const [, count, unit] = /^(\d+)(KiB|MiB|GiB)$/u.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new Error(`"${text}" is no size such as 1GiB.`);
  return Number(count) * unitBytes[unit as keyof typeof unitBytes];
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: unitBytes.MiB }), hash);
  return hash.digest('hex');
}

async function playRound(
  folder: string,
  simulator: RunningSimulator,
  download: CurlDownload,
): Promise<Round> {
  const idle = cpuSecondsOf(simulator.processId);
  const ours = await fetchWithMover(folder, simulator);
  const { servedBytes, servedSha256 } = await simulator.lastServed();
  if (ours.sha256 !== servedSha256 || ours.sizeBytes !== servedBytes) {
    throw new Error('The mover stored other bytes than the appliance served.');
  }
  const between = cpuSecondsOf(simulator.processId);
  const { path, ...curl } = await download.fetch();
  const servingCpuSeconds = cpuSecondsOf(simulator.processId) - between;
  if ((await sha256Of(path)) !== servedSha256)
    throw new Error('curl and base64 wrote other bytes than were served.');
  await rm(path);
  return { ours: { ...ours, servingCpuSeconds: between - idle }, curl: { ...curl, servingCpuSeconds } };
}

async function measure(
  parent: string,
  size: string,
  runs: number,
): Promise<{ figures: Figure[]; rounds: Round[] }> {
  const folder = await mkdtemp(join(parent, 'stillpoint-b-1-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  try {
    await using simulator = await startSimulator(folder, readSize(size));
    const download = await CurlDownload.prepare(folder, simulator);
    await playRound(folder, simulator, download);
    const rounds: Round[] = [];
    for (let round = 0; round < runs; round += 1) rounds.push(await playRound(folder, simulator, download));
    return { figures: summariseRounds(`b-1.${size}`, rounds), rounds };
  } finally {
    process.off('exit', remove);
    remove();
  }
}

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', multiple: true, default: ['1GiB', '4GiB'] },
    runs: { type: 'string', default: '3' },
    json: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`"${options.runs}" is no number of runs.`);
// Gigabytes are not left behind by who loses patience.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const results = [];
for (const size of options.size) {
  const { figures, rounds } = await measure(options.folder, size, runs);
  for (const { name, value, unit, ratio } of figures) {
    printFigure(name, value, unit, ratio);
  }
  results.push({ size, figures, rounds });
}
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ benchmark: 'B-1', machine, results }, null, 2)}\n`);
}
