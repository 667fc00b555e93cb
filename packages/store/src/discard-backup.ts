import { rename, rm, unlink } from 'node:fs/promises';
import {
  isSameFile,
  type PublishUnit,
  readManifest,
  removeIncomingFolder,
  standingAt,
  unitsOf,
} from './backup-files.ts';
import { attempt, errnoOf, type Reply } from './fault.ts';
import { catalogFolder, incomingFolderOf, manifestFileName } from './layout.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StoreRoot } from './store-root.ts';
import { removeUnfinishedFile } from './write-file-atomically.ts';

const discardedName = 'discarded';

/**
 * Takes back all that a task left in the store: published files, then its manifest, then what it received. For a task
 * that did not succeed, and for a backup that its retention rule gives up; calling it again does no harm.
 */
export async function discardBackup(root: StoreRoot, taskId: string): Promise<Reply<void>> {
  return attempt(`discarding the backup of task ${taskId}`, async (begins) => {
    const manifest = await readManifest(root, taskId);
    begins();
    if (manifest !== undefined) {
      for (const unit of unitsOf(manifest)) await removePublished(root, taskId, unit);
    }
    await removeManifest(root, manifestFileName(taskId));
    // Last, because what is still in the incoming folder tells that the file at the published path is another task's.
    await removeIncomingFolder(root, taskId);
  });
}

async function removePublished(root: StoreRoot, taskId: string, unit: PublishUnit): Promise<void> {
  await using folder = await root.directory.openIfThere(unit.folder);
  await using incoming = await root.directory.openIfThere(unit.incomingFolder);
  const published = await standingAt(folder, unit.name);
  const received = await standingAt(incoming, unit.incomingName);
  if (folder === undefined) return;
  if (published === undefined) {
    // Who removed it may have been killed before that was durable, and the manifest goes next.
    for (const segments of [parentOf(taskId), unit.incomingFolder, unit.folder]) {
      await using changed = await root.directory.openIfThere(segments);
      await changed?.sync();
    }
    return;
  }
  if (received !== undefined && !isSameFile(received, published)) return;
  if (unit.isFolder) await moveAway(root, taskId, folder.path(unit.name), incoming);
  else await unlinkIfThere(folder.path(unit.name));
  await folder.sync();
}

// A folder is renamed away before it is removed, so that no half of it is ever seen at its published path. Where the task
// has no folder any more it becomes that folder: a full disk may have no room for a new one.
async function moveAway(
  root: StoreRoot,
  taskId: string,
  from: string,
  incoming: StoreDirectory | undefined,
): Promise<void> {
  if (incoming === undefined) {
    await using parent = await root.directory.openOrMake(parentOf(taskId));
    await rename(from, parent.path(taskId));
    await parent.sync();
    return;
  }
  await rm(incoming.path(discardedName), { recursive: true, force: true });
  await rename(from, incoming.path(discardedName));
  await incoming.sync();
}

function parentOf(taskId: string): readonly string[] {
  return incomingFolderOf(taskId).slice(0, -1);
}

async function removeManifest(root: StoreRoot, name: string): Promise<void> {
  await using catalog = await root.directory.openIfThere(catalogFolder);
  if (catalog === undefined) return;
  await removeUnfinishedFile(catalog, name);
  await unlinkIfThere(catalog.path(name));
  await catalog.sync();
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
