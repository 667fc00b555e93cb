import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running server tells in its postmaster.pid; `status` is `starting`, `ready`, `standby` or `stopping`. */
export type PostmasterFile = { readonly pid: number; readonly socketFolder: string; readonly status: string };

/** Reads postmaster.pid; undefined when there is none or when it is not yet written whole. */
export function readPostmasterFile(clusterFolder: string): PostmasterFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(clusterFolder, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(lines[0]?.trim());
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, socketFolder: lines[4]?.trim() ?? '', status: lines[7]?.trim() ?? 'starting' };
}
