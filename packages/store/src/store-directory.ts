import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { errnoOf, FaultError } from './fault.ts';

const openFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * A folder held open by its descriptor. Paths made from it stay in that very folder, whatever is mounted, renamed or
 * linked over its path in the meantime.
 */
export class StoreDirectory implements AsyncDisposable {
  readonly handle: FileHandle;
  readonly #deviceNumber: number;

  private constructor(handle: FileHandle, deviceNumber: number) {
    this.handle = handle;
    this.#deviceNumber = deviceNumber;
  }

  /** Opens the folder at a path of the outside world, links and mounts followed; all below it must be of its kind. */
  static async openRoot(path: string): Promise<StoreDirectory> {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    return closingOnError(handle, async () => new StoreDirectory(handle, (await handle.stat()).dev));
  }

  /** The path of an entry of this folder, good as long as the folder is open; without a name, of the folder itself. */
  path(name?: string): string {
    const own = `/proc/self/fd/${this.handle.fd}`;
    if (name === undefined) return own;
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new Error('an entry of a folder must have a plain name');
    }
    return `${own}/${name}`;
  }

  /** Opens the folder reached by these segments, one by one; throws ENOENT when one is not there. */
  async open(segments: readonly string[]): Promise<StoreDirectory> {
    return this.#walk(segments, false);
  }

  /** Like `open`, but makes each folder that is not there, durably. */
  async openOrMake(segments: readonly string[]): Promise<StoreDirectory> {
    return this.#walk(segments, true);
  }

  /** Like `open`, but answers nothing when one of the folders is not there. */
  async openIfThere(segments: readonly string[]): Promise<StoreDirectory | undefined> {
    try {
      return await this.#walk(segments, false);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The names of the entries, sorted. */
  async names(): Promise<string[]> {
    return (await readdir(this.path())).sort();
  }

  /** Makes the entries of this folder durable. */
  async sync(): Promise<void> {
    try {
      await this.handle.sync();
    } catch (error) {
      // Some network file systems know no fsync of a folder; they make its entries durable by themselves.
      const errno = errnoOf(error);
      if (errno !== 'EINVAL' && errno !== 'ENOTSUP' && errno !== 'ENOSYS' && errno !== 'EOPNOTSUPP')
        throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.handle.close();
    } catch (error) {
      // The descriptor is gone all the same, and what became of the entries was told when they were made durable.
      if (errnoOf(error) === undefined) throw error;
    }
  }

  async #walk(segments: readonly string[], makesMissing: boolean): Promise<StoreDirectory> {
    let reached = new StoreDirectory(
      await open(this.path(), openFlags & ~constants.O_NOFOLLOW),
      this.#deviceNumber,
    );
    for (const segment of segments) {
      const parent = reached;
      await using _closedAfterStep = parent;
      reached = await parent.#openChild(segment, makesMissing);
    }
    return reached;
  }

  async #openChild(name: string, makesMissing: boolean): Promise<StoreDirectory> {
    if (makesMissing) await this.#makeIfMissing(name);
    const handle = await openFolder(this.path(name), name);
    return closingOnError(handle, async () => {
      const { dev } = await handle.stat();
      if (dev !== this.#deviceNumber) {
        throw new FaultError('STORE_PATH_LEAVES_STORE', `The folder "${name}" lies on another file system.`);
      }
      return new StoreDirectory(handle, this.#deviceNumber);
    });
  }

  async #makeIfMissing(name: string): Promise<void> {
    try {
      await mkdir(this.path(name), { mode: 0o750 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    // Also when it was there: whoever made it may have been killed before this, or not have come to it yet.
    await this.sync();
  }
}

async function openFolder(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, openFlags);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ELOOP' || errno === 'ENOTDIR') {
      throw new FaultError('STORE_PATH_LEAVES_STORE', `"${name}" is not a folder but a file or a link.`);
    }
    throw error;
  }
}

async function closingOnError<T>(handle: FileHandle, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    await handle.close();
    throw error;
  }
}
