// `npm run simulate -- --seed N` shows the history of one seed, line by line; `-- --seeds A..B` runs many on all cores.

import { parseArgs } from 'node:util';
import { runHistory } from '../tests/simulation/testing/run-history.ts';
import { figuresOf, replayOf, runSeeds } from '../tests/simulation/testing/run-seeds.ts';

const usage = `Usage: npm run simulate -- --seed N
       npm run simulate -- --seeds A..B [--threads N]

  --seed N       shows what happens in the history of one seed: virtual time, who, what
  --seeds A..B   runs all of them and prints what was counted, and for each that fails how to see it
  --threads N    with --seeds: how many run at once (default: as many as there are cores)
`;

async function showSeed(seed: number): Promise<number> {
  const history = await runHistory({ seed, keepsTrail: true });
  for (const line of history.lines) console.log(line);
  const { violation, steps, sum, virtualMs } = history;
  console.log(
    `\nseed ${seed}: ${steps} steps in ${(virtualMs / 1000).toFixed(1)} virtual seconds, sum ${sum}`,
  );
  if (violation === null) {
    console.log('every invariant held after every step');
    return 0;
  }
  console.log(`${violation.invariant} was broken: ${violation.detail}`);
  return 1;
}

async function runMany(first: number, last: number, threads: number | undefined): Promise<number> {
  const report = await runSeeds(first, last, threads);
  console.log(figuresOf(report).replaceAll('; ', '\n'));
  for (const failure of report.failures) console.log(`seed ${failure.seed}: ${replayOf(failure)}`);
  console.log(`${report.seeds - report.failures.length} passed, ${report.failures.length} failed`);
  return report.failures.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, seeds: { type: 'string' }, threads: { type: 'string' } },
  });
  if (values.seed !== undefined && /^\d{1,9}$/.test(values.seed)) return showSeed(Number(values.seed));
  const range = /^(\d{1,9})\.\.(\d{1,9})$/.exec(values.seeds ?? '');
  const [first, last] = [Number(range?.[1]), Number(range?.[2])];
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  const isWrong = range === null || first > last || (threads !== undefined && !(threads >= 1));
  if (!isWrong) return runMany(first, last, threads);
  process.stderr.write(usage);
  return 2;
}

function isUsageError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

process.exitCode = await main().catch((error: unknown) => {
  if (!isUsageError(error)) throw error;
  process.stderr.write(`${(error as Error).message}\n\n${usage}`);
  return 2;
});
