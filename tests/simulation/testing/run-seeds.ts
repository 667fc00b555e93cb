import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Counted, History } from './run-history.ts';

/** A history without its lines, as a thread tells it. */
export type ToldHistory = Omit<History, 'lines'>;

/** What came of many seeds. */
export type SeedsReport = {
  readonly seeds: number;
  readonly seconds: number;
  readonly steps: number;
  readonly checks: number;
  readonly virtualHours: number;
  readonly counts: Readonly<Record<Counted, number>>;
  readonly failures: readonly ToldHistory[];
};

/** Runs the histories of all seeds from `first` to `last`, on every core or in as many threads as are given. */
export async function runSeeds(
  first: number,
  last: number,
  threads = Math.min(availableParallelism(), last - first + 1),
): Promise<SeedsReport> {
  const startedAt = performance.now();
  const histories: ToldHistory[] = [];
  let next = first;
  const serve = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const hand = (): void => {
        if (next > last) resolve();
        else worker.postMessage(next);
        next += 1;
      };
      worker.on('message', (history: ToldHistory) => {
        histories.push(history);
        hand();
      });
      worker.on('error', reject);
      hand();
    });
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./seed-worker.ts', import.meta.url)),
  );
  try {
    await Promise.all(workers.map(serve));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return reportOf(histories, (performance.now() - startedAt) / 1000);
}

function reportOf(histories: readonly ToldHistory[], seconds: number): SeedsReport {
  const sum = (of: (history: ToldHistory) => number): number =>
    histories.reduce((total, history) => total + of(history), 0);
  const names = Object.keys(histories[0]?.counts ?? {}) as Counted[];
  const counts = Object.fromEntries(names.map((name) => [name, sum((history) => history.counts[name])]));
  return {
    seeds: histories.length,
    seconds,
    steps: sum(({ steps }) => steps),
    checks: sum(({ checks }) => checks),
    virtualHours: sum(({ virtualMs }) => virtualMs) / 3_600_000,
    counts: counts as Record<Counted, number>,
    failures: histories
      .filter(({ violation }) => violation !== null)
      .toSorted((one, other) => one.seed - other.seed),
  };
}

/** What was counted, in one line. */
export function figuresOf({ seeds, seconds, steps, checks, virtualHours, counts }: SeedsReport): string {
  const { runs, tasks, guards, fact, look, action, fault, storm, publish } = counts;
  return [
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} seeds per second)`,
    `${virtualHours.toFixed(1)} hours of virtual time, ${steps} steps, ${checks} changed worlds looked at`,
    `${runs} runs, ${tasks} tasks, ${fact} facts, ${guards} guards, ${publish} published backups`,
    `${action} actions and ${look} looks sent, ${fault} faults on the way, ${storm} disturbances`,
  ].join('; ');
}

/** The one command that shows a seed again. */
export function replayOf({ seed, violation }: ToldHistory): string {
  return `${violation?.invariant}: ${violation?.detail}; npm run simulate -- --seed ${seed}`;
}
