import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { databaseRefusal } from '../database-error.ts';

const run = promisify(execFile);

/**
 * As whom PostgreSQL runs, which refuses to be root: as we are; in a user namespace where we bear another number but
 * own the same files; or as another user of this machine.
 */
export type PostgresAccount =
  | { readonly kind: 'self' }
  | { readonly kind: 'userNamespace'; readonly unshareCommand: string; readonly uid: number }
  | { readonly kind: 'otherUser'; readonly uid: number; readonly gid: number; readonly name: string };

type AccountQuestion = {
  /** Where the cluster is or will be; its present owner decides. */
  readonly clusterFolder: string;
  /** The program that makes user namespaces; `unshare` of util-linux except in tests. */
  readonly unshareCommand: string;
};

/** Chooses the account, or throws EMBEDDED_POSTGRES_NOT_AVAILABLE when there is none PostgreSQL would accept. */
export async function choosePostgresAccount(question: AccountQuestion): Promise<PostgresAccount> {
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot && hasUserEntry()) return { kind: 'self' };
  const entries = readUserEntries();
  const clusterOwner = existsSync(question.clusterFolder) ? statSync(question.clusterFolder) : undefined;
  if (isRoot && clusterOwner !== undefined && clusterOwner.uid !== 0) {
    const { uid, gid } = clusterOwner;
    return {
      kind: 'otherUser',
      uid,
      gid,
      name: entries.find((entry) => entry.uid === uid)?.name ?? `${uid}`,
    };
  }
  const inside = entries.find((entry) => entry.name === 'daemon') ?? entries.find((entry) => entry.uid !== 0);
  if (inside !== undefined && (await canMakeUserNamespace(question.unshareCommand, inside.uid))) {
    return { kind: 'userNamespace', unshareCommand: question.unshareCommand, uid: inside.uid };
  }
  const nobody = entries.find((entry) => entry.name === 'nobody');
  if (isRoot && clusterOwner === undefined && nobody !== undefined) return { kind: 'otherUser', ...nobody };
  throw databaseRefusal('EMBEDDED_POSTGRES_NOT_AVAILABLE', noAccountDetail(isRoot, question.clusterFolder));
}

/** The command line and the spawn options that run a PostgreSQL program under an account. */
export function commandUnderAccount(
  account: PostgresAccount,
  program: string,
  args: readonly string[],
): { file: string; args: string[]; owner: { uid?: number; gid?: number } } {
  switch (account.kind) {
    case 'self':
      return { file: program, args: [...args], owner: {} };
    case 'userNamespace':
      return {
        file: account.unshareCommand,
        args: [...namespaceArguments(account.uid), program, ...args],
        owner: {},
      };
    case 'otherUser':
      return { file: program, args: [...args], owner: { uid: account.uid, gid: account.gid } };
  }
}

/**
 * Throws the code, naming the outermost folder on the way to `path`, when the account is a user who may not pass it.
 * Only the classic permission bits are looked at; an access list that allows more is not seen.
 */
export function checkOtherUserMayPass(
  account: PostgresAccount,
  path: string,
  code: 'DATA_DIRECTORY_NOT_WRITABLE' | 'EMBEDDED_POSTGRES_NOT_AVAILABLE',
): void {
  if (account.kind !== 'otherUser') return;
  const folders: string[] = [];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) folders.unshift(folder);
  for (const folder of folders) {
    const { uid, gid, mode } = statSync(folder);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 1) continue;
    throw databaseRefusal(
      code,
      `PostgreSQL does not run as root and would run as ${account.name}, who may not pass ${folder}; ` +
        'allow that (chmod o+x), choose another folder, run this program as a user that is not root, ' +
        'or set DATABASE_URL.',
    );
  }
}

function namespaceArguments(uid: number): string[] {
  return ['--user', `--map-user=${uid}`, `--map-group=${uid}`, '--'];
}

async function canMakeUserNamespace(unshareCommand: string, uid: number): Promise<boolean> {
  try {
    await run(unshareCommand, [...namespaceArguments(uid), 'true'], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** initdb and the server look their own user up and stop when it has no name, as in a container with a made-up uid. */
function hasUserEntry(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

function readUserEntries(): { name: string; uid: number; gid: number }[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(
      (entry) => entry.name !== '' && Number.isSafeInteger(entry.uid) && Number.isSafeInteger(entry.gid),
    );
}

function noAccountDetail(isRoot: boolean, clusterFolder: string): string {
  if (!isRoot) {
    return (
      `The user ${process.geteuid?.()} has no entry in the user database, which PostgreSQL insists on, and this ` +
      'kernel refuses user namespaces; add an entry, or set DATABASE_URL.'
    );
  }
  return (
    `PostgreSQL does not run as root, this kernel refuses user namespaces, and ${clusterFolder} belongs to root; ` +
    'run this program as a user that is not root and give it the data directory (chown -R), or set DATABASE_URL.'
  );
}
