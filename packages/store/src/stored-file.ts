import { createHash } from 'node:crypto';
import { attempt, errnoOf, FaultError, type Reply } from './fault.ts';
import { blocksOf, type FileRange, openFileRange } from './file-range.ts';
import { isPublishedPath } from './manifest.ts';
import type { StoreRoot } from './store-root.ts';

/** Reads a published file to its end and answers its size and SHA-256 (lower-case hex); `path` as in its manifest. */
export async function hashFile(
  root: StoreRoot,
  path: string,
): Promise<Reply<{ sizeBytes: number; sha256: string }>> {
  return attempt(`hashing "${path}"`, async () => {
    const range = await openStoredFile(root, path);
    await using _closedAtEnd = range.handle;
    const hash = createHash('sha256');
    for await (const block of blocksOf(range)) hash.update(block);
    return { sizeBytes: range.sizeBytes, sha256: hash.digest('hex') };
  });
}

/** Reads `lengthBytes` of a published file from `offsetBytes` on, less at its end; `path` as in its manifest. */
export async function readFilePart(
  root: StoreRoot,
  path: string,
  offsetBytes: number,
  lengthBytes: number,
): Promise<Reply<Buffer>> {
  return attempt(`reading "${path}"`, async () => {
    const range = await openStoredFile(root, path);
    await using _closedAtEnd = range.handle;
    const wantedBytes = Math.max(0, Math.min(lengthBytes, range.sizeBytes - offsetBytes));
    const part = Buffer.alloc(wantedBytes);
    let readBytes = 0;
    while (readBytes < wantedBytes) {
      const { bytesRead } = await range.handle.read(
        part,
        readBytes,
        wantedBytes - readBytes,
        offsetBytes + readBytes,
      );
      if (bytesRead === 0)
        throw new FaultError('STORE_FILE_CHANGED', `"${path}" became shorter while it was read.`);
      readBytes += bytesRead;
    }
    return part;
  });
}

async function openStoredFile(root: StoreRoot, path: string): Promise<FileRange> {
  if (!isPublishedPath(path)) {
    throw new FaultError(
      'STORE_PATH_LEAVES_STORE',
      `${JSON.stringify(path)} is not the path of a published file.`,
    );
  }
  const segments = path.split('/');
  try {
    await using folder = await root.directory.open(segments.slice(0, -1));
    return await openFileRange(folder.path(segments.at(-1) ?? ''));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') throw new FaultError('STORE_FILE_MISSING', `"${path}" is not in the store.`);
    if (errno === 'ELOOP') throw new FaultError('STORE_PATH_LEAVES_STORE', `"${path}" is a link.`);
    throw error;
  }
}
