import { crc32 } from 'node:zlib';
import { combineCrc32 } from './combine-crc32.ts';
import { blocksOf, type FileRange } from './file-range.ts';

// Below this, reading a part again together with its neighbours costs less than a read for what lies between them.
const smallestPartBytes = 64 * 1024;

/**
 * The CRC-32 of a range, put together from those of parts that were read for other reasons; what lies between them is
 * read. Parts must come in the order of the file, otherwise everything is read.
 */
export class RangeCrc32 {
  readonly #range: FileRange;
  #crc32 = 0;
  #sizeBytes = 0;
  #isInOrder = true;

  constructor(range: FileRange) {
    this.#range = range;
  }

  /** Takes the CRC of a part that lies inside the range. */
  async addPart(part: FileRange, partCrc32: number): Promise<void> {
    if (part.sizeBytes < smallestPartBytes) return;
    const offset = part.start - this.#range.start;
    this.#isInOrder &&= offset >= this.#sizeBytes;
    if (!this.#isInOrder) return;
    await this.#readUpTo(offset);
    this.#append(partCrc32, part.sizeBytes);
  }

  /** The CRC of the whole range. */
  async finish(): Promise<number> {
    if (!this.#isInOrder || this.#sizeBytes > this.#range.sizeBytes) {
      this.#crc32 = 0;
      this.#sizeBytes = 0;
    }
    await this.#readUpTo(this.#range.sizeBytes);
    return this.#crc32;
  }

  async #readUpTo(offset: number): Promise<void> {
    const { handle, start } = this.#range;
    const sizeBytes = offset - this.#sizeBytes;
    if (sizeBytes === 0) return;
    let gapCrc32 = 0;
    for await (const block of blocksOf({ handle, start: start + this.#sizeBytes, sizeBytes })) {
      gapCrc32 = crc32(block, gapCrc32);
    }
    this.#append(gapCrc32, sizeBytes);
  }

  #append(partCrc32: number, sizeBytes: number): void {
    this.#crc32 = combineCrc32(this.#crc32, partCrc32, sizeBytes);
    this.#sizeBytes += sizeBytes;
  }
}
