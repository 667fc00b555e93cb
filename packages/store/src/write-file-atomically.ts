import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { errnoOf } from './fault.ts';
import type { StoreDirectory } from './store-directory.ts';

const temporaryPrefix = '.tmp-';

/**
 * Puts a text at a name so that, whatever happens, either the old content or the whole new one is there.
 * `requireAllowed` is called right before the new one takes the name, and throws when it must not.
 */
export async function writeFileAtomically(
  folder: StoreDirectory,
  name: string,
  text: string,
  requireAllowed: () => void = () => undefined,
): Promise<void> {
  const temporaryPath = folder.path(temporaryPrefix + name);
  try {
    await writeDurably(temporaryPath, text);
    requireAllowed();
    await rename(temporaryPath, folder.path(name));
  } catch (error) {
    // Whoever may not go on leaves it: under the same name another may be writing now.
    if (errnoOf(error) !== undefined) await removeAfterFailure(folder, name);
    throw error;
  }
  await folder.sync();
}

/** Removes what a crash in the middle of writing a file left beside it; nothing there is as good. */
export async function removeUnfinishedFile(folder: StoreDirectory, name: string): Promise<void> {
  await rm(folder.path(temporaryPrefix + name), { force: true });
}

async function writeDurably(path: string, text: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  await using file = await open(path, flags, 0o640);
  await file.writeFile(text);
  await file.sync();
}

// What made the write fail is told, and not what came of it.
async function removeAfterFailure(folder: StoreDirectory, name: string): Promise<void> {
  try {
    await removeUnfinishedFile(folder, name);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
