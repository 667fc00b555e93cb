import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openMoverPool } from '@stillpoint/server';
import { cpuSecondsOf, residentBytesOf } from './b-1/process-figures.ts';
import { machine, printFigure } from './machine.ts';

// B-5: from the start of the server to the line that says where it serves, and of a mover to its first reply, with the
// cache of compiled code and (the ratio is to that) without it, in turns. CPU time is that of the process itself; the
// embedded PostgreSQL comes on top of it. What is made at the very first start, the database and the cache, is there.

interface Start {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    json: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const program = fileURLToPath(new URL('../packages/server/src/main.ts', import.meta.url));
const bytesPerMebibyte = 1024 * 1024;
const folder = await mkdtemp(join(options.folder, 'stillpoint-start-'));
// PostgreSQL runs as an account of its own when this is run by root.
await chmod(folder, 0o711);

async function startServer(withCache: boolean): Promise<Start> {
  const begunAt = performance.now();
  const child = spawn(
    process.execPath,
    [program, '--data', join(folder, 'data'), '--port', '0', '--log-level', 'warn'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...(withCache ? {} : { NODE_DISABLE_COMPILE_CACHE: '1' }) },
    },
  );
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
  const { pid } = child;
  if (pid === undefined || !String(line).startsWith('Stillpoint serves'))
    throw new Error(`The server did not start: ${String(line)}`);
  const seconds = (performance.now() - begunAt) / 1000;
  const start = { seconds, cpuSeconds: cpuSecondsOf(pid), residentBytes: residentBytesOf(pid) };
  child.kill('SIGTERM');
  await exited;
  return start;
}

async function startMover(withCache: boolean): Promise<Start> {
  const codeCache = withCache ? join(folder, 'data', 'cache') : null;
  const pool = openMoverPool({ size: 1, shortSize: 1, codeCache });
  const store = { root: join(folder, 'nowhere'), requiresRemoteMount: false, expectedStoreId: null };
  const begunAt = performance.now();
  await pool.order({ kind: 'checkStore', store, minFreePercent: 0 }, { deadlineMs: 60_000 });
  const seconds = (performance.now() - begunAt) / 1000;
  const [mover = 0] = pool.processIds();
  const start = { seconds, cpuSeconds: cpuSecondsOf(mover), residentBytes: residentBytesOf(mover) };
  await pool.close();
  return start;
}

const middle = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

function printStarts(name: string, starts: readonly Start[], compared: readonly Start[] | null): void {
  const figure = (of: readonly Start[], key: keyof Start): number => middle(of.map((start) => start[key]));
  const ratio = (key: keyof Start): number | null =>
    compared === null ? null : figure(starts, key) / figure(compared, key);
  printFigure(`${name}.time`, figure(starts, 'seconds'), 's', ratio('seconds'));
  printFigure(`${name}.cpu`, figure(starts, 'cpuSeconds'), 's', ratio('cpuSeconds'));
  const mebibytes = figure(starts, 'residentBytes') / bytesPerMebibyte;
  printFigure(`${name}.memory`, mebibytes, 'MiB', ratio('residentBytes'));
}

const results: Record<string, Start[]> = {};
try {
  for (const [name, start] of Object.entries({ server: startServer, mover: startMover })) {
    const [without, cached]: [Start[], Start[]] = [[], []];
    // What has to be made is made now.
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await start(true);
    for (let run = 0; run < Number(options.runs); run += 1) {
      without.push(await start(false));
      cached.push(await start(true));
    }
    printStarts(`b-5.${name}.without-cache`, without, null);
    printStarts(`b-5.${name}`, cached, without);
    Object.assign(results, { [name]: cached, [`${name}WithoutCache`]: without });
  }
} finally {
  await rm(folder, { recursive: true });
}
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ benchmark: 'B-5', machine, results }, null, 2)}\n`);
