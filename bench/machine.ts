import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** The machine a figure was taken on. */
export const machine = {
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  kernel: release(),
  node: process.version,
} as const;

/** One printed line: name, value, unit, ratio to what it is compared with ("-" where there is none). */
export function printFigure(name: string, value: number, unit: string, ratio: number | null = null): void {
  console.log(`${name} ${value.toFixed(2)} ${unit} ${ratio?.toFixed(2) ?? '-'}`);
}
