import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bufferContent, type Content, fileContent } from './content.ts';

const LARGEST_IN_MEMORY_BYTES = 1024 * 1024;

/** A folder of our own for packages too large for memory; removed as a whole when the fleet stops. */
export class Spool {
  readonly #folder: string;
  readonly #paths = new WeakMap<Content, string>();
  #files = 0;
  #isRemoved = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps the bytes of a stream: small ones in memory, large ones in a file of the spool. */
  async keep(stream: AsyncIterable<Buffer>): Promise<Content> {
    const held: Buffer[] = [];
    let heldBytes = 0;
    const pieces = stream[Symbol.asyncIterator]();
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      held.push(next.value);
      heldBytes += next.value.length;
      if (heldBytes > LARGEST_IN_MEMORY_BYTES) {
        return this.#keepInFile(held, pieces);
      }
    }
    return bufferContent(Buffer.concat(held));
  }

  /** Gives up the file of a content that is no longer needed. */
  async discard(content: Content): Promise<void> {
    const path = this.#paths.get(content);
    if (path !== undefined) {
      await rm(path, { force: true });
    }
  }

  /** Removes every spooled file. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #keepInFile(held: Buffer[], pieces: AsyncIterator<Buffer>): Promise<Content> {
    this.#files += 1;
    const path = join(this.#folder, `${this.#files}.spool`);
    const file = await open(path, 'wx', 0o600);
    let sizeBytes = 0;
    const write = async (piece: Buffer): Promise<void> => {
      if (this.#isRemoved) {
        throw new Error('the fleet was stopped while a package was being built');
      }
      await file.writeFile(piece);
      sizeBytes += piece.length;
    };
    try {
      for (const piece of held) {
        await write(piece);
      }
      held.length = 0;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
        await write(next.value);
      }
    } finally {
      await file.close();
    }
    const content = fileContent(path, sizeBytes);
    this.#paths.set(content, path);
    return content;
  }
}

/** Makes a spool in a new folder below the given one (default: the system's folder for temporary files). */
export async function createSpool(parentFolder: string = tmpdir()): Promise<Spool> {
  return new Spool(await mkdtemp(join(parentFolder, 'stillpoint-simulator-')));
}
