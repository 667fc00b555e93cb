import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { attempt, type Reply } from './fault.ts';
import { IncomingFile } from './incoming-file.ts';
import { incomingFolderOf } from './layout.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StoreRoot } from './store-root.ts';

/** What arrives: exports are single files, a secure backup is a folder that is published as a whole. */
export type IncomingKind = 'export' | 'secure-backup';

/** The folder below `.stillpoint/incoming/<task>/` in which the files of one task arrive. */
export interface Incoming extends AsyncDisposable {
  /** Begins a file; one of the same name, left by an earlier try, is removed first. */
  createFile(name: string): Promise<Reply<IncomingFile>>;
  /** The path of a file of this folder, good until this is disposed of; without a name, of the folder. */
  pathOf(name?: string): string;
}

/** Opens the incoming folder of a task; that of a secure backup is emptied, for a second try starts from nothing. */
export async function openIncoming(
  root: StoreRoot,
  taskId: string,
  kind: IncomingKind,
): Promise<Reply<Incoming>> {
  return attempt(`opening the incoming folder of task ${taskId}`, async () => {
    await using task = await root.directory.openOrMake(incomingFolderOf(taskId));
    if (kind === 'secure-backup') await rm(task.path(kind), { recursive: true, force: true });
    const folder = await task.openOrMake([kind]);
    return {
      createFile: (name) => createFile(folder, name),
      pathOf: (name) => folder.path(name),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  });
}

async function createFile(folder: StoreDirectory, name: string): Promise<Reply<IncomingFile>> {
  return attempt(`creating the incoming file "${name}"`, async () => {
    const path = folder.path(name);
    await rm(path, { force: true });
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return new IncomingFile(name, await open(path, flags, 0o640));
  });
}
