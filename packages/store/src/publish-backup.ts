import { link, rename, unlink } from 'node:fs/promises';
import {
  isSameFile,
  type PublishUnit,
  readManifest,
  removeIncomingFolder,
  standingAt,
  unitsOf,
} from './backup-files.ts';
import { attempt, errnoOf, FaultError, type Reply } from './fault.ts';
import { formatTimestamp } from './format-timestamp.ts';
import type { IncomingKind } from './incoming.ts';
import type { ReceivedFile } from './incoming-file.ts';
import {
  type BackupTarget,
  catalogFolder,
  exportFileName,
  folderOf,
  incomingFolderOf,
  manifestFileName,
} from './layout.ts';
import type { Manifest } from './manifest.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StoreRoot } from './store-root.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

/** A verified backup that waits in the incoming folder of its task. */
export interface PublishRequest {
  readonly taskId: string;
  readonly target: BackupTarget;
  readonly device: Manifest['device'];
  readonly domains: readonly string[];
  /** The received files; `isPersisted` is null for those of a secure backup. */
  readonly files: readonly (ReceivedFile & { readonly isPersisted: boolean | null })[];
  /** Milliseconds since 1970; `takenAt` gives the time stamp in the names. */
  readonly takenAt: number;
  readonly completedAt: number;
  readonly timeZone: string;
  readonly stillpointVersion: string;
}

const maxTimestampTries = 1000;

/**
 * Puts a verified backup at its place: manifest first, then the rename, each made durable before the next. A second
 * call for the same task finishes what the first began and answers the manifest of the first. `mayPublish` is asked
 * right before every change that others see: whoever stood still since the call may find the task in other hands, and
 * then changes nothing more (`STORE_PUBLISH_NOT_ALLOWED`).
 */
export async function publishBackup(
  root: StoreRoot,
  request: PublishRequest,
  mayPublish: () => boolean = () => true,
): Promise<Reply<Manifest>> {
  const { taskId } = request;
  const requireAllowed = (): void => {
    if (mayPublish()) return;
    const detail = `The backup of task ${taskId} was not published, because this node may not act now.`;
    throw new FaultError('STORE_PUBLISH_NOT_ALLOWED', detail, true);
  };
  return attempt(`publishing the backup of task ${taskId}`, async (begins) => {
    const begun = await readManifest(root, taskId);
    if (begun === undefined) await requireReceived(root, request);
    else requireSameBackup(begun, request);
    requireAllowed();
    begins();
    const manifest = await publish(root, request, begun, requireAllowed);
    if (mayPublish()) await removeIncoming(root, taskId);
    return manifest;
  });
}

// Another task may take the path between the look and the rename; a millisecond later is free then.
async function publish(
  root: StoreRoot,
  request: PublishRequest,
  begun: Manifest | undefined,
  requireAllowed: () => void,
): Promise<Manifest> {
  if (begun !== undefined) {
    await syncCatalog(root);
    if (await putInPlace(root, begun, requireAllowed)) return begun;
  }
  for (let tries = 0; tries < maxTimestampTries; tries += 1) {
    const manifest = buildManifest(request, request.takenAt + tries);
    if (await isTaken(root, manifest)) continue;
    await writeManifest(root, manifest, requireAllowed);
    if (await putInPlace(root, manifest, requireAllowed)) return manifest;
  }
  throw new FaultError('STORE_PUBLISH_CONFLICT', `No free time stamp was found for task ${request.taskId}.`);
}

function buildManifest(request: PublishRequest, stampMs: number): Manifest {
  const { target } = request;
  const timestamp = formatTimestamp(stampMs, request.timeZone);
  const folder = folderOf(request.device.name, target).join('/');
  const kind: IncomingKind = target.kind === 'secure-backup' ? 'secure-backup' : 'export';
  return {
    formatVersion: 1,
    taskId: request.taskId,
    action: target.kind === 'secure-backup' ? 'SECURE_BACKUP' : 'EXPORT_DOMAIN',
    target,
    domains: [...request.domains],
    device: request.device,
    takenAt: new Date(request.takenAt).toISOString(),
    completedAt: new Date(request.completedAt).toISOString(),
    stillpointVersion: request.stillpointVersion,
    files: request.files.map(({ name, sizeBytes, sha256, isPersisted }) => ({
      path:
        target.kind === 'secure-backup'
          ? `${folder}/${timestamp}/${name}`
          : `${folder}/${exportFileName(target, timestamp, isPersisted ?? true)}`,
      incomingPath: `${kind}/${name}`,
      sizeBytes,
      sha256,
      isPersisted,
    })),
  };
}

function requireSameBackup(begun: Manifest, request: PublishRequest): void {
  const again = buildManifest(request, request.takenAt);
  const essence = ({ target, device, files }: Manifest): string =>
    JSON.stringify([
      target.kind,
      'domain' in target && target.domain,
      device.name,
      files.map((file) => file.sha256),
    ]);
  if (essence(begun) === essence(again)) return;
  throw new FaultError(
    'STORE_PUBLISH_CONFLICT',
    `Task ${request.taskId} has begun to publish other files before.`,
  );
}

async function requireReceived(root: StoreRoot, request: PublishRequest): Promise<void> {
  const kind: IncomingKind = request.target.kind === 'secure-backup' ? 'secure-backup' : 'export';
  await using folder = await root.directory.openIfThere([...incomingFolderOf(request.taskId), kind]);
  for (const file of request.files) {
    const standing = await standingAt(folder, file.name);
    if (standing?.isFile !== true)
      throw new FaultError('STORE_FILE_MISSING', `"${file.name}" was not received.`);
    if (standing.sizeBytes !== file.sizeBytes) {
      throw new FaultError(
        'STORE_FILE_CHANGED',
        `"${file.name}" has ${standing.sizeBytes} bytes, not ${file.sizeBytes}.`,
      );
    }
  }
  const names = new Set(request.files.map((file) => file.name));
  const stranger = kind === 'secure-backup' && (await folder?.names())?.find((name) => !names.has(name));
  if (stranger) throw new FaultError('BACKUP_EXTRA_FILE', `The secure backup holds "${stranger}" as well.`);
  await folder?.sync();
}

async function isTaken(root: StoreRoot, manifest: Manifest): Promise<boolean> {
  for (const unit of unitsOf(manifest)) {
    await using folder = await root.directory.openIfThere(unit.folder);
    if ((await standingAt(folder, unit.name)) !== undefined) return true;
  }
  return false;
}

async function writeManifest(root: StoreRoot, manifest: Manifest, requireAllowed: () => void): Promise<void> {
  await using catalog = await root.directory.openOrMake(catalogFolder);
  await writeFileAtomically(
    catalog,
    manifestFileName(manifest.taskId),
    `${JSON.stringify(manifest, null, 2)}\n`,
    requireAllowed,
  );
}

// Who wrote the manifest may have been killed before it was durable.
async function syncCatalog(root: StoreRoot): Promise<void> {
  await using catalog = await root.directory.open(catalogFolder);
  await catalog.sync();
}

// False when another task's file stands at a path, and nothing of this task was put in place yet.
async function putInPlace(root: StoreRoot, manifest: Manifest, requireAllowed: () => void): Promise<boolean> {
  let isAnyInPlace = false;
  for (const unit of unitsOf(manifest)) {
    await using source = await root.directory.openIfThere(unit.incomingFolder);
    await using target = await root.directory.openOrMake(unit.folder);
    if (!(await putUnitInPlace(source, target, unit, requireAllowed))) {
      if (!isAnyInPlace) return false;
      throw new FaultError('STORE_PUBLISH_CONFLICT', `The path of "${unit.name}" is taken by another file.`);
    }
    // Also when an earlier call renamed it: only this makes the new name durable.
    await target.sync();
    isAnyInPlace = true;
  }
  await requirePublished(root, manifest);
  return true;
}

// What is still in the incoming folder was not published yet: that tells our own file from another task's.
async function putUnitInPlace(
  source: StoreDirectory | undefined,
  target: StoreDirectory,
  unit: PublishUnit,
  requireAllowed: () => void,
): Promise<boolean> {
  const received = await standingAt(source, unit.incomingName);
  const published = await standingAt(target, unit.name);
  if (source === undefined || received === undefined) {
    if (published === undefined)
      throw new FaultError('STORE_FILE_MISSING', `"${unit.name}" is nowhere in the store.`);
    return true;
  }
  const from = source.path(unit.incomingName);
  const to = target.path(unit.name);
  requireAllowed();
  if (published !== undefined) {
    if (!isSameFile(received, published)) return false;
    await unlink(from);
    return true;
  }
  try {
    // A folder cannot be renamed onto a filled folder, nor a file be linked onto a file: nothing is overwritten.
    if (unit.isFolder) await rename(from, to);
    else await linkThenUnlink(from, to, requireAllowed);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' || errno === 'ENOTEMPTY' || errno === 'ENOTDIR') return false;
    throw error;
  }
}

async function linkThenUnlink(from: string, to: string, requireAllowed: () => void): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const errno = errnoOf(error);
    const hasNoLinks =
      errno !== undefined && ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errno);
    if (!hasNoLinks) throw error;
    requireAllowed();
    // The look right before found the name free, and only one task works on a device at a time.
    await rename(from, to);
    return;
  }
  await unlink(from);
}

async function requirePublished(root: StoreRoot, manifest: Manifest): Promise<void> {
  for (const file of manifest.files) {
    const segments = file.path.split('/');
    await using folder = await root.directory.openIfThere(segments.slice(0, -1));
    const standing = await standingAt(folder, segments.at(-1) ?? '');
    if (standing?.isFile !== true)
      throw new FaultError('STORE_FILE_MISSING', `"${file.path}" is not in the store.`);
    if (standing.sizeBytes !== file.sizeBytes) {
      throw new FaultError(
        'STORE_FILE_CHANGED',
        `"${file.path}" has ${standing.sizeBytes} bytes, not ${file.sizeBytes}.`,
      );
    }
  }
}

// The backup is in place by now; what stays behind here is found by a rescan and harms nothing.
async function removeIncoming(root: StoreRoot, taskId: string): Promise<void> {
  try {
    await removeIncomingFolder(root, taskId);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
