import type { CurlFigures } from './fetch-with-curl.ts';
import type { MoverFigures } from './fetch-with-mover.ts';

/** One printed figure; `ratio` is ours to curl's. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio: number | null;
}

/** Both sides of one round. */
export interface Round {
  readonly ours: MoverFigures & Serving;
  readonly curl: Omit<CurlFigures, 'path'> & Serving;
}

interface Serving {
  /** What the pretend appliance used meanwhile, of the same cores. */
  readonly servingCpuSeconds: number;
}

const bytesPerMegabyte = 1_000_000;
const bytesPerMebibyte = 1024 ** 2;

/** The medians over all rounds, memory by its worst round. Throughput counts decoded bytes. */
export function summariseRounds(prefix: string, rounds: readonly Round[]): Figure[] {
  const ours = (pick: (figures: Round['ours']) => number) => median(rounds.map((round) => pick(round.ours)));
  const curl = (pick: (figures: Round['curl']) => number) => median(rounds.map((round) => pick(round.curl)));
  const megabytes = ours(({ sizeBytes }) => sizeBytes) / bytesPerMegabyte;
  const oursSeconds = ours(({ seconds }) => seconds);
  const curlSeconds = curl(({ seconds }) => seconds);
  const oursCpu = ours(({ cpuSeconds }) => cpuSeconds);
  const curlCpu = curl(({ cpuSeconds }) => cpuSeconds);
  const idleBytes = Math.max(...rounds.map(({ ours: { idleBytes } }) => idleBytes));
  const peakBytes = Math.max(...rounds.map(({ ours: { peakBytes } }) => peakBytes));
  const growthBytes = Math.max(...rounds.map(({ ours: { idleBytes, peakBytes } }) => peakBytes - idleBytes));
  const alone = (name: string, value: number, unit: string): Figure => {
    return { name: `${prefix}.${name}`, value, unit, ratio: null };
  };
  return [
    { ...alone('ours.duration', oursSeconds, 's'), ratio: oursSeconds / curlSeconds },
    alone('curl.duration', curlSeconds, 's'),
    { ...alone('ours.throughput', megabytes / oursSeconds, 'MB/s'), ratio: curlSeconds / oursSeconds },
    alone('curl.throughput', megabytes / curlSeconds, 'MB/s'),
    { ...alone('ours.cpu', oursCpu, 's'), ratio: oursCpu / curlCpu },
    alone('curl.cpu', curlCpu, 's'),
    alone(
      'ours.verify-alone',
      ours(({ verifySeconds }) => verifySeconds),
      's',
    ),
    alone(
      'ours.serving-cpu',
      ours(({ servingCpuSeconds }) => servingCpuSeconds),
      's',
    ),
    alone(
      'curl.serving-cpu',
      curl(({ servingCpuSeconds }) => servingCpuSeconds),
      's',
    ),
    alone('ours.memory-idle', idleBytes / bytesPerMebibyte, 'MiB'),
    alone('ours.memory-peak', peakBytes / bytesPerMebibyte, 'MiB'),
    alone('ours.memory-growth', growthBytes / bytesPerMebibyte, 'MiB'),
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 1 ? middle : middle - 1];
  if (upper === undefined || lower === undefined) throw new Error('There is no median of nothing.');
  return (lower + upper) / 2;
}
