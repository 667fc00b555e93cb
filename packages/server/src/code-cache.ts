import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { constants, enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { dataDirectoryMode } from './data-directory.ts';

/**
 * Has this process keep its code compiled in `cache/` of the data directory, and load it from there; for all that is
 * imported after this. Answers the folder, for processes of ours; null when there is none that can be trusted, which
 * only costs time.
 */
export function openCodeCache(dataDirectory: string): string | null {
  const folder = join(dataDirectory, 'cache');
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: dataDirectoryMode() });
    makePrivate(folder);
  } catch {
    return null;
  }
  if (!isPrivate(folder)) return null;
  const { FAILED, DISABLED } = constants.compileCacheStatus;
  const { status } = enableCompileCache(folder);
  return status === FAILED || status === DISABLED ? null : folder;
}

/** For one user alone: what lies there is run without another look at where it came from. */
function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
    // Whatever the umask is.
    chmodSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** One that others could write to is not made private now: they may have put code there already. */
function isPrivate(folder: string): boolean {
  const stat = lstatSync(folder);
  return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}
