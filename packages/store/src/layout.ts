import { safeName } from './safe-name.ts';

/** The one folder of the store that belongs to Stillpoint itself; no device is ever given this name. */
export const ownFolder = '.stillpoint';

/** What a backup holds: the appliance as a whole, one domain, or one export with every domain in it. */
export type BackupTarget =
  | { readonly kind: 'secure-backup' }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'all-domains' };

/** The folder that receives backups of this target, as path segments below the root of the store. */
export function folderOf(device: string, target: BackupTarget): readonly string[] {
  const deviceFolder = safeName(device);
  if (target.kind === 'secure-backup') return [deviceFolder, 'secure-backup'];
  return [deviceFolder, 'domain', domainNameOf(target)];
}

/** The file name of one export; `timestamp` as written by formatTimestamp. */
export function exportFileName(
  target: Exclude<BackupTarget, { kind: 'secure-backup' }>,
  timestamp: string,
  isPersisted: boolean,
): string {
  const suffix = isPersisted ? 'persisted' : 'nonpersisted';
  return `${domainNameOf(target)}-export-${timestamp}-${suffix}.zip`;
}

/** The folder below the root in which the files of a task arrive, as path segments. */
export function incomingFolderOf(taskId: string): readonly string[] {
  return [ownFolder, 'incoming', requirePlainId(taskId)];
}

/** The folder of the manifests, as path segments below the root. */
export const catalogFolder: readonly string[] = [ownFolder, 'catalog'];

/** The file name of the manifest of a task. */
export function manifestFileName(taskId: string): string {
  return `${requirePlainId(taskId)}.json`;
}

function domainNameOf(target: Exclude<BackupTarget, { kind: 'secure-backup' }>): string {
  return target.kind === 'all-domains' ? 'all-domains' : safeName(target.domain);
}

// Task ids are made by this program, so one that is not plain is a bug and not an answer of the world.
function requirePlainId(taskId: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(taskId)) throw new Error('a task id is not a plain name');
  return taskId;
}
