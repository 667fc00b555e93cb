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

/** A history that takes longer goes round for ever somewhere. */
const LONGEST_SECONDS = 60;

/** Runs the histories of all seeds from `first` to `last`, on every core or in as many threads as are given. */
export async function runSeeds(
  first: number,
  last: number,
  threads = Math.min(availableParallelism(), last - first + 1),
): Promise<SeedsReport> {
  const startedAt = performance.now();
  const histories: ToldHistory[] = [];
  let next = first;
  const serve = async (): Promise<void> => {
    let thread = new SeedThread();
    try {
      while (next <= last) {
        const seed = next;
        next += 1;
        const history = await thread.run(seed);
        histories.push(history ?? endless(seed));
        if (history !== null) continue;
        await thread.end();
        thread = new SeedThread();
      }
    } finally {
      await thread.end();
    }
  };
  await Promise.all(Array.from({ length: threads }, serve));
  return reportOf(histories, (performance.now() - startedAt) / 1000);
}

/** A thread that runs one history after the other. */
class SeedThread {
  readonly #worker = new Worker(new URL('./seed-worker.ts', import.meta.url));

  /** Null when it does not come to an end. */
  run(seed: number): Promise<ToldHistory | null> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#worker.off('message', onMessage).off('error', onError);
        settle();
      };
      const onMessage = (history: ToldHistory): void => end(() => resolve(history));
      const onError = (error: unknown): void => end(() => reject(error));
      const timer = setTimeout(() => end(() => resolve(null)), LONGEST_SECONDS * 1000);
      this.#worker.on('message', onMessage).on('error', onError);
      this.#worker.postMessage(seed);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function endless(seed: number): ToldHistory {
  const violation = { invariant: 'I9', detail: `the history does not end within ${LONGEST_SECONDS} s` };
  const nothing = { steps: 0, checks: 0, virtualMs: 0, counts: {} as ToldHistory['counts'] };
  return { seed, violation, sum: '', ...nothing };
}

function reportOf(histories: readonly ToldHistory[], seconds: number): SeedsReport {
  const sum = (of: (history: ToldHistory) => number): number =>
    histories.reduce((total, history) => total + of(history), 0);
  const names = Object.keys(histories.find(({ steps }) => steps > 0)?.counts ?? {}) as Counted[];
  const counts = Object.fromEntries(names.map((name) => [name, sum((history) => history.counts[name] ?? 0)]));
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
  const { runs, tasks, furtherAttempts, guards, fact, look, action, fault, storm, publish } = counts;
  return [
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} seeds per second)`,
    `${virtualHours.toFixed(1)} hours of virtual time, ${steps} steps, ${checks} changed worlds looked at`,
    `${runs} runs, ${tasks} tasks, ${furtherAttempts} further attempts, ${fact} facts, ${guards} guards, ${publish} published backups`,
    `${action} actions and ${look} looks sent, ${fault} faults on the way, ${storm} disturbances`,
  ].join('; ');
}

/** The one command that shows a seed again. */
export function replayOf({ seed, violation }: ToldHistory): string {
  return `${violation?.invariant}: ${violation?.detail}; npm run simulate -- --seed ${seed}`;
}
