import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { databaseRefusal } from '../database-error.ts';
import { isProcessAlive, type ProcessIdentity, processIdentity } from './process-identity.ts';

type LockOwner = ProcessIdentity & { readonly nonce: string };

/** A held lock; `release` may be called more than once. */
export type DataDirectoryLock = { release(): void };

/**
 * Takes the lock file for this process or throws DATA_DIRECTORY_IN_USE with the holder's pid.
 *
 * Whole files are linked into place, so a lock is never seen half written. A dead holder is followed by exactly one
 * process: the one that links `<lock>.<nonce of the dead>`; if that one died as well, its own nonce is next in line.
 */
export function acquireDataDirectoryLock(lockPath: string): DataDirectoryLock {
  const self = processIdentity(process.pid);
  if (self === undefined) throw new Error('this process does not find itself in /proc');
  const owner: LockOwner = { ...self, nonce: randomUUID() };
  const draftPath = `${lockPath}.draft-${owner.nonce}`;
  writeDurably(draftPath, JSON.stringify(owner));
  try {
    while (!linkExclusively(draftPath, lockPath) && !replaceDeadOwner(lockPath, draftPath));
  } finally {
    rmSync(draftPath, { force: true });
  }
  return {
    release() {
      if (readOwner(lockPath)?.nonce === owner.nonce) rmSync(lockPath, { force: true });
    },
  };
}

/** True when the draft has become the lock; false when somebody was faster and the lock must be looked at again. */
function replaceDeadOwner(lockPath: string, draftPath: string): boolean {
  const dead = readOwner(lockPath);
  if (dead === undefined) return false;
  const claims: string[] = [];
  let last = dead;
  for (;;) {
    if (isProcessAlive(last)) {
      throw databaseRefusal('DATA_DIRECTORY_IN_USE', `Process ${last.pid} holds ${lockPath}.`);
    }
    const claim = `${lockPath}.${last.nonce}`;
    claims.push(claim);
    if (linkExclusively(draftPath, claim)) break;
    const claimant = readOwner(claim);
    if (claimant === undefined) return false;
    last = claimant;
  }
  // Our claim may have succeeded only because an earlier winner has already cleaned up behind itself.
  if (readOwner(lockPath)?.nonce !== dead.nonce) {
    rmSync(claims.at(-1) as string, { force: true });
    return false;
  }
  renameSync(draftPath, lockPath);
  for (const claim of claims) rmSync(claim, { force: true });
  return true;
}

function readOwner(path: string): LockOwner | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const owner = parseOwner(text);
  if (owner === undefined) {
    throw databaseRefusal(
      'DATA_DIRECTORY_IN_USE',
      `The lock file ${path} cannot be read as a lock; remove it if no other server uses this folder.`,
    );
  }
  return owner;
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockOwner>;
    const isWhole =
      Number.isSafeInteger(value.pid) &&
      Number.isSafeInteger(value.startTicks) &&
      typeof value.bootId === 'string' &&
      /^[0-9a-f-]{36}$/.test(value.nonce ?? '');
    return isWhole ? (value as LockOwner) : undefined;
  } catch {
    return undefined;
  }
}

function linkExclusively(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
