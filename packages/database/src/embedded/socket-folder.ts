import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedLayout, makePrivateFolder } from './embedded-layout.ts';
import { isServerOfCluster } from './is-server-of-cluster.ts';
import type { PostgresAccount } from './postgres-account.ts';
import { embeddedLogin } from './postgres-settings.ts';

/** The kernel's room for the path of a Unix socket without its closing NUL. */
const socketPathLimitBytes = 107;

/** The path of the server's socket in a folder. */
export function socketPath(socketFolder: string): string {
  return join(socketFolder, `.s.PGSQL.${embeddedLogin.port}`);
}

/**
 * Makes the 0700 folder for the server's socket: in the data directory or, where that path is too long for a socket,
 * a new short one that is recorded in the data directory so that a later start or close removes it.
 */
export function makeSocketFolder(layout: EmbeddedLayout, account: PostgresAccount): string {
  removeRecordedFolder(layout);
  const folder = fitsSocket(layout.socketFolder) ? layout.socketFolder : makeShortFolder(layout, account);
  makePrivateFolder(folder, account);
  return folder;
}

/**
 * Removes the socket of a server that is gone. PostgreSQL does so itself, unless the process number in the socket's
 * lock file is in use again or belongs to a zombie: then it would take the old server for running.
 */
export function removeStaleSocket(layout: EmbeddedLayout, folder: string): void {
  const lockPath = `${socketPath(folder)}.lock`;
  if (!existsSync(lockPath)) return;
  const pid = Number(readFileSync(lockPath, 'utf8').split('\n')[0]);
  if (isServerOfCluster(pid, layout.clusterFolder)) return;
  rmSync(socketPath(folder), { force: true });
  rmSync(lockPath, { force: true });
}

/** Removes what `makeSocketFolder` made outside the data directory. */
export function removeRecordedFolder(layout: EmbeddedLayout): void {
  if (!existsSync(layout.socketFolderRecord)) return;
  const recorded = readFileSync(layout.socketFolderRecord, 'utf8').trim();
  // A record that was tampered with must not make us delete anything else.
  if (/\/stillpoint-[A-Za-z0-9]{6}$/.test(recorded)) {
    rmSync(recorded, { recursive: true, force: true });
  }
  rmSync(layout.socketFolderRecord, { force: true });
}

function fitsSocket(folder: string): boolean {
  return Buffer.byteLength(socketPath(folder)) <= socketPathLimitBytes;
}

function makeShortFolder(layout: EmbeddedLayout, account: PostgresAccount): string {
  const runtimeFolder = process.env.XDG_RUNTIME_DIR;
  // Another user may not pass our own runtime folder.
  const parents = account.kind === 'otherUser' ? [tmpdir(), '/tmp'] : [runtimeFolder, tmpdir(), '/tmp'];
  const parent = parents.find(
    (candidate) =>
      candidate !== undefined && existsSync(candidate) && fitsSocket(join(candidate, 'stillpoint-XXXXXX')),
  );
  if (parent === undefined) throw new Error('no folder with a path short enough for a socket');
  const folder = mkdtempSync(join(parent, 'stillpoint-'));
  writeFileSync(layout.socketFolderRecord, `${folder}\n`, { mode: 0o600 });
  return folder;
}
