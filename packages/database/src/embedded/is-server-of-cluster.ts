import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { databaseRefusal } from '../database-error.ts';
import { processArguments, processWorkingFolder } from './process-identity.ts';

/**
 * True when the process is the PostgreSQL server of this cluster, false when it is surely something else (a zombie for
 * instance); throws DATA_DIRECTORY_IN_USE when the kernel does not show enough of it to tell.
 */
export function isServerOfCluster(pid: number, clusterFolder: string): boolean {
  const args = processArguments(pid);
  if (args === undefined) return false;
  if (basename(args[0] ?? '') !== 'postgres') return false;
  const named = args[args.indexOf('-D') + 1] ?? '';
  const cluster = realpathSync(clusterFolder);
  if (!isSamePath(named, cluster)) return false;
  if (processWorkingFolder(pid) === cluster) return true;
  throw databaseRefusal(
    'DATA_DIRECTORY_IN_USE',
    `Process ${pid} was started as a PostgreSQL on ${cluster}, but it cannot be verified; perhaps another user owns it.`,
  );
}

/** True when a path, which need not exist, leads to a folder whose real path is given. */
export function isSamePath(path: string, realPath: string): boolean {
  try {
    return realpathSync(path) === realPath;
  } catch {
    return false;
  }
}
