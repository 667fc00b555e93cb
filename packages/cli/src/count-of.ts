import { InvalidArgumentError } from 'commander';

/** A count of the command line, from 1 to 100,000. */
export function countOf(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 100_000) return count;
  throw new InvalidArgumentError('It must be a number from 1 to 100000.');
}
