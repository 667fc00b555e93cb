import { lstat, rm } from 'node:fs/promises';
import { errnoOf, FaultError } from './fault.ts';
import { catalogFolder, incomingFolderOf, manifestFileName } from './layout.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { readSmallFile } from './read-small-file.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StoreRoot } from './store-root.ts';

const maxManifestBytes = 64 * 1024 * 1024;

/** A thing that is renamed as a whole: one export file, or the folder of a secure backup with all its files. */
export interface PublishUnit {
  readonly incomingFolder: readonly string[];
  readonly incomingName: string;
  readonly folder: readonly string[];
  readonly name: string;
  readonly isFolder: boolean;
}

/** The manifest of a task, or nothing when the task has none. */
export async function readManifest(root: StoreRoot, taskId: string): Promise<Manifest | undefined> {
  await using catalog = await root.directory.openIfThere(catalogFolder);
  if (catalog === undefined) return undefined;
  const name = manifestFileName(taskId);
  const bytes = await readSmallFile(catalog.path(name), maxManifestBytes, 'STORE_MANIFEST_UNREADABLE');
  if (bytes === undefined) return undefined;
  const manifest = parseManifest(bytes.toString('utf8'));
  if (manifest === undefined || manifest.taskId !== taskId) {
    throw new FaultError('STORE_MANIFEST_UNREADABLE', `The manifest ${name} has another form than expected.`);
  }
  return manifest;
}

/** What is renamed into place for a manifest, in its order. */
export function unitsOf(manifest: Manifest): PublishUnit[] {
  const incoming = incomingFolderOf(manifest.taskId);
  if (manifest.action === 'SECURE_BACKUP') {
    const segments = manifest.files[0]?.path.split('/').slice(0, -1) ?? [];
    const name = segments.at(-1) ?? '';
    const folder = segments.slice(0, -1);
    return [{ incomingFolder: incoming, incomingName: 'secure-backup', folder, name, isFolder: true }];
  }
  return manifest.files.map((file) => {
    const segments = file.path.split('/');
    const incomingSegments = file.incomingPath.split('/');
    return {
      incomingFolder: [...incoming, ...incomingSegments.slice(0, -1)],
      incomingName: incomingSegments.at(-1) ?? '',
      folder: segments.slice(0, -1),
      name: segments.at(-1) ?? '',
      isFolder: false,
    };
  });
}

/** What stands at a name of a folder. */
export interface Standing {
  readonly deviceNumber: number;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly isFile: boolean;
  readonly isFolder: boolean;
}

/** What stands at a name of a folder, links not followed; nothing when there is nothing, or not even the folder. */
export async function standingAt(
  folder: StoreDirectory | undefined,
  name: string,
): Promise<Standing | undefined> {
  if (folder === undefined) return undefined;
  try {
    const status = await lstat(folder.path(name));
    return {
      deviceNumber: status.dev,
      inode: status.ino,
      sizeBytes: status.size,
      isFile: status.isFile(),
      isFolder: status.isDirectory(),
    };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether two names lead to one and the same file. */
export function isSameFile(one: Standing, other: Standing): boolean {
  return one.isFile && other.isFile && one.deviceNumber === other.deviceNumber && one.inode === other.inode;
}

/** Removes all that the task received and did not publish; nothing there is as good. */
export async function removeIncomingFolder(root: StoreRoot, taskId: string): Promise<void> {
  const segments = incomingFolderOf(taskId);
  await using incoming = await root.directory.openIfThere(segments.slice(0, -1));
  if (incoming === undefined) return;
  await rm(incoming.path(segments.at(-1) ?? ''), { recursive: true, force: true });
  await incoming.sync();
}
