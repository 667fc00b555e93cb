import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { databaseRefusal } from '../database-error.ts';
import type { PostgresAccount } from './postgres-account.ts';
import { checkOtherUserMayPass } from './postgres-account.ts';

/** Where everything of the embedded server lies; all of it below `<data directory>/postgres`. */
export type EmbeddedLayout = {
  readonly folder: string;
  readonly clusterFolder: string;
  readonly linkFolder: string;
  readonly socketFolder: string;
  readonly socketFolderRecord: string;
  readonly logPath: string;
  readonly lockPath: string;
};

/** The layout below a data directory; touches nothing. */
export function embeddedLayout(dataDirectory: string): EmbeddedLayout {
  const folder = join(resolve(dataDirectory), 'postgres');
  return {
    folder,
    clusterFolder: join(folder, 'cluster'),
    linkFolder: join(folder, 'lib'),
    socketFolder: join(folder, 'socket'),
    socketFolderRecord: join(folder, 'socket-folder'),
    logPath: join(folder, 'postgres.log'),
    lockPath: join(folder, 'owner.lock'),
  };
}

/** Makes the folders for an account, private to it, or throws DATA_DIRECTORY_NOT_WRITABLE. */
export function makeEmbeddedFolders(
  layout: EmbeddedLayout,
  dataDirectory: string,
  account: PostgresAccount,
): void {
  const isOtherUser = account.kind === 'otherUser';
  try {
    // Another user has to pass the data directory, but not to list it.
    if (!existsSync(dataDirectory))
      mkdirSync(dataDirectory, { recursive: true, mode: isOtherUser ? 0o711 : 0o700 });
    checkOtherUserMayPass(account, resolve(dataDirectory), 'DATA_DIRECTORY_NOT_WRITABLE');
    makePrivateFolder(layout.folder, account);
  } catch (error) {
    throw notWritable(error, layout.folder);
  }
}

/** Makes a folder that only PostgreSQL's account (and root) may enter. */
export function makePrivateFolder(folder: string, account: PostgresAccount): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (account.kind === 'otherUser') chownSync(folder, account.uid, account.gid);
}

/** Runs file work in the data directory and turns a refusal by the file system into DATA_DIRECTORY_NOT_WRITABLE. */
export function inDataDirectory<T>(layout: EmbeddedLayout, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw notWritable(error, layout.folder);
  }
}

function notWritable(error: unknown, folder: string): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  if (
    typeof code !== 'string' ||
    !/^E(ACCES|PERM|ROFS|NOSPC|DQUOT|NOTDIR|EXIST|LOOP|NAMETOOLONG)$/.test(code)
  ) {
    return error;
  }
  return databaseRefusal('DATA_DIRECTORY_NOT_WRITABLE', `${code} at ${path ?? folder}.`, error);
}
