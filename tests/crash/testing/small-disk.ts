import { closeSync, ftruncateSync, openSync, readdirSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

// The step in which a file system in memory gives out space.
const blockBytes = 4096;

/** A file system of a few blocks whose free space a test sets; whoever makes one mounts it first. */
export class SmallDisk {
  readonly #folder: string;
  readonly #ballast: string;
  readonly #spare: string;

  /** `folder` is the mount point; the store belongs into a folder of its own below it. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#ballast = join(folder, 'ballast');
    this.#spare = 'ballast-';
  }

  freeBlocks(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return (bavail * bsize) / blockBytes;
  }

  freeNodes(): number {
    return statfsSync(this.#folder).ffree;
  }

  /** Fills the disk until exactly so many blocks of 4 KiB are left. */
  leaveBlocks(count: number): void {
    const file = openSync(this.#ballast, 'w');
    try {
      ftruncateSync(file, 0);
      const block = Buffer.alloc(blockBytes, 1);
      while (this.freeBlocks() > count) writeSync(file, block);
    } finally {
      closeSync(file);
    }
    if (this.freeBlocks() !== count) throw new Error(`${this.freeBlocks()} blocks are left, not ${count}`);
  }

  /** Fills the disk with empty files until exactly so many more files or folders can be made. */
  leaveNodes(count: number): void {
    for (let index = 0; this.freeNodes() > count; index += 1) {
      closeSync(openSync(join(this.#folder, `${this.#spare}${index}`), 'wx'));
    }
  }

  /** Takes all ballast away. */
  empty(): void {
    for (const name of readdirSync(this.#folder)) {
      if (name === 'ballast' || name.startsWith(this.#spare)) unlinkSync(join(this.#folder, name));
    }
  }
}
