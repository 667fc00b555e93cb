import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

/** Rewrites the lines of an export; none of its hashes follows. */
export function alterExport(from: string, to: string, alter: (lines: string[]) => string[]): string {
  const lines = gunzipSync(readFileSync(from)).toString('utf8').split('\n').slice(0, -1);
  const text = alter(lines).map((line) => `${line}\n`);
  writeFileSync(to, gzipSync(text.join('')));
  return to;
}

/** Rewrites the lines of an export and makes every count and hash fit again, as only somebody who means it would. */
export function forgeExport(from: string, to: string, alter: (lines: string[]) => string[]): string {
  return alterExport(from, to, (lines) => reseal(alter(lines)));
}

type Open = { rows: number; hash: ReturnType<typeof createHash> };

function reseal(lines: readonly string[]): string[] {
  const sealed: string[] = [];
  const whole = createHash('sha256');
  let [tables, rows] = [0, 0];
  let table: Open | undefined;
  for (const line of lines.slice(0, -1)) {
    let written = line;
    if (table === undefined && line.startsWith('{"table":')) {
      table = { rows: 0, hash: createHash('sha256') };
    } else if (table !== undefined && sealed.at(-1) === '\\.') {
      written = JSON.stringify({ rows: table.rows, sha256: table.hash.digest('hex') });
      tables += 1;
      rows += table.rows;
      table = undefined;
    } else if (table !== undefined && line !== '\\.') {
      table.rows += 1;
      table.hash.update(`${line}\n`);
    }
    whole.update(`${written}\n`);
    sealed.push(written);
  }
  const foot = JSON.parse(lines.at(-1) ?? '{}') as object;
  return [...sealed, JSON.stringify({ ...foot, tables, rows, sha256: whole.digest('hex') })];
}
