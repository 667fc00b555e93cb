import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { StoreDirectory } from './store-directory.ts';

// What a crash leaves under this prefix is no more than a leftover.
const temporaryPrefix = '.tmp-';

/** Puts a text at a name so that, whatever happens, either the old content or the whole new one is there. */
export async function writeFileAtomically(folder: StoreDirectory, name: string, text: string): Promise<void> {
  const temporaryPath = folder.path(temporaryPrefix + name);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  {
    await using file = await open(temporaryPath, flags, 0o640);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(temporaryPath, folder.path(name));
  await folder.sync();
}
