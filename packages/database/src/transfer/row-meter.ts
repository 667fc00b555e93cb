import { createHash, type Hash } from 'node:crypto';
import type { TableFoot } from './export-format.ts';

const lineFeed = 0x0a;

/** Counts and hashes the rows of one table as they pass, in COPY text format. */
export class RowMeter {
  readonly #hash: Hash = createHash('sha256');
  rows = 0;

  take(chunk: Buffer): void {
    this.#hash.update(chunk);
    // A line feed inside a value is written as \n, so each one is the end of a row.
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) this.rows += 1;
  }

  /** Once, after the last row. */
  foot(): TableFoot {
    return { rows: this.rows, sha256: this.#hash.digest('hex') };
  }
}
