import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { FaultError } from './fault.ts';

const blockBytes = 1024 * 1024;

/** A stretch of an open file: all of it, or a nested archive that was stored in it unpacked. */
export interface FileRange {
  readonly handle: FileHandle;
  readonly start: number;
  readonly sizeBytes: number;
}

/** Opens a file, never through a link, as a range over all of it; the caller closes the handle. */
export async function openFileRange(path: string): Promise<FileRange> {
  // Without O_NONBLOCK a pipe planted at the path would hold the caller up for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile())
      throw new FaultError('STORE_PATH_LEAVES_STORE', 'What should be a file is not one.');
    return { handle, start: 0, sizeBytes: status.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The bytes of a range, a block of at most 1 MiB at a time. While one is being worked on, the next one is being read; a
 * block is good until the next one is asked for.
 */
export async function* blocksOf(range: FileRange): AsyncGenerator<Buffer> {
  const bufferBytes = Math.min(blockBytes, range.sizeBytes);
  let spare: Buffer | undefined;
  let coming: Promise<Buffer> | undefined;
  const readFrom = (position: number): Promise<Buffer> | undefined => {
    if (position >= range.sizeBytes) return undefined;
    const block = readBlock(range, position, spare ?? Buffer.allocUnsafeSlow(bufferBytes));
    // Heard when the block is asked for; until then nobody listens.
    block.catch(() => undefined);
    return block;
  };
  try {
    coming = readFrom(0);
    for (let position = 0; coming !== undefined; ) {
      const block: Buffer = await coming;
      position += block.length;
      coming = readFrom(position);
      yield block;
      spare = Buffer.from(block.buffer);
    }
  } finally {
    // Whoever stops early closes the file next, which must not happen under a read.
    await coming?.catch(() => undefined);
  }
}

async function readBlock(range: FileRange, position: number, buffer: Buffer): Promise<Buffer> {
  const wantedBytes = Math.min(buffer.length, range.sizeBytes - position);
  const { bytesRead } = await range.handle.read(buffer, 0, wantedBytes, range.start + position);
  if (bytesRead === 0) throw new FaultError('STORE_FILE_CHANGED', 'A file became shorter while it was read.');
  return buffer.subarray(0, bytesRead);
}
