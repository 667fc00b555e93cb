import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, FaultError } from './fault.ts';
import type { StoreCode } from './store-catalogue.ts';

/**
 * The content of a file of at most `maxBytes`, or nothing when it is not there; a larger file is refused with
 * `tooLargeCode`, so that a wrong file can never fill the memory.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
  tooLargeCode: StoreCode,
): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new FaultError(
        tooLargeCode,
        `A file of ${size} bytes is larger than the ${maxBytes} allowed for it.`,
      );
    }
    return await file.readFile();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
