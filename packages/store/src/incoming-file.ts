import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { attempt, FaultError, type Reply } from './fault.ts';

/** One received file, safe on disk; `sha256` in lower-case hex. */
export interface ReceivedFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

const blockBytes = 1024 * 1024;
const blocks = 8;
// Most exports are small, and a large block for each would have the collector at work all the time.
const firstBlockBytes = 64 * 1024;
// Pushing what was written to the disk while more comes in leaves little for the last fsync to wait for.
const syncEveryBytes = 64 * 1024 * 1024;

/**
 * The sink of one file on its way in. Chunks are gathered into blocks; while a block is being written, it is hashed
 * and the next one filled. Holds 8 MiB at most.
 */
export class IncomingFile {
  readonly name: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #freeBlocks: Buffer[] = [];
  #block: Buffer = Buffer.allocUnsafeSlow(firstBlockBytes);
  #filledBytes = 0;
  #allocatedBlocks = 0;
  #takenBytes = 0;
  #bytesSinceSync = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isClosed = false;

  constructor(name: string, handle: FileHandle) {
    this.name = name;
    this.#handle = handle;
  }

  /** How many bytes were taken so far. */
  get sizeBytes(): number {
    return this.#takenBytes;
  }

  /**
   * Takes the next bytes and copies them; a promise asks to wait before the next call. Rejects or throws once the file
   * can no longer be written; `finish` then tells why.
   */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#isClosed) throw new Error('a file that was finished takes no more bytes');
    this.#takenBytes += chunk.length;
    if (this.#filledBytes + chunk.length >= this.#block.length) return this.#writeAcross(chunk);
    this.#block.set(chunk, this.#filledBytes);
    this.#filledBytes += chunk.length;
  }

  /** Writes the rest, makes the file durable and closes it; the answer is a fault when any byte was not written. */
  async finish(): Promise<Reply<ReceivedFile>> {
    return attempt(`writing the incoming file "${this.name}"`, async () => {
      try {
        this.#throwFailure();
        this.#writeFilled();
        await this.#writing;
        await this.#syncing;
        this.#throwFailure();
        await this.#handle.sync();
        await this.#checkSize();
        return { name: this.name, sizeBytes: this.#takenBytes, sha256: this.#hash.digest('hex') };
      } finally {
        await this.#close();
      }
    });
  }

  /** Closes the file as it is, to be thrown away; does nothing after `finish`. */
  async abandon(): Promise<void> {
    await this.#writing;
    await this.#syncing;
    await this.#close();
  }

  async #writeAcross(chunk: Uint8Array): Promise<void> {
    let copiedBytes = 0;
    while (copiedBytes < chunk.length) {
      const part = chunk.subarray(copiedBytes, copiedBytes + this.#block.length - this.#filledBytes);
      this.#block.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      copiedBytes += part.length;
      if (this.#filledBytes === this.#block.length) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    this.#throwFailure();
    this.#writeFilled();
    this.#block = await this.#takeFreeBlock();
    this.#filledBytes = 0;
  }

  /** What was filled is under way from here on, and its block no longer to be filled. */
  #writeFilled(): void {
    const block = this.#block.subarray(0, this.#filledBytes);
    if (block.length === 0) return;
    this.#writing = this.#writing.then(() => this.#writeBlock(block));
    this.#hash.update(block);
    this.#syncNowAndThen(block.length);
  }

  // Never rejects: a failure is kept and thrown by the next call of the owner.
  async #writeBlock(block: Buffer): Promise<void> {
    try {
      let writtenBytes = 0;
      while (writtenBytes < block.length && this.#failure === undefined) {
        const { bytesWritten } = await this.#handle.write(block, writtenBytes, block.length - writtenBytes);
        writtenBytes += bytesWritten;
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    if (block.buffer.byteLength === blockBytes) this.#freeBlocks.push(Buffer.from(block.buffer));
  }

  async #takeFreeBlock(): Promise<Buffer> {
    const free = this.#freeBlocks.pop();
    if (free !== undefined) return free;
    if (this.#allocatedBlocks < blocks) {
      this.#allocatedBlocks += 1;
      return Buffer.allocUnsafeSlow(blockBytes);
    }
    await this.#writing;
    return this.#freeBlocks.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  #syncNowAndThen(bytes: number): void {
    this.#bytesSinceSync += bytes;
    if (this.#bytesSinceSync < syncEveryBytes || this.#syncing !== undefined) return;
    this.#bytesSinceSync = 0;
    this.#syncing = this.#handle.datasync().then(
      () => {
        this.#syncing = undefined;
      },
      (error: unknown) => {
        // The kernel tells each lost write once only; forgetting it here would make the last fsync a lie.
        this.#failure ??= { error };
        this.#syncing = undefined;
      },
    );
  }

  async #checkSize(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size === this.#takenBytes) return;
    throw new FaultError(
      'STORE_FILE_CHANGED',
      `"${this.name}" has ${size} bytes on disk, but ${this.#takenBytes} were written.`,
    );
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close();
  }
}
