import { readFileSync } from 'node:fs';

/** The version of Stillpoint that this package is of. */
export const programVersion: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;
