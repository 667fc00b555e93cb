import { existsSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { databaseRefusal } from '../database-error.ts';

/** Most of what there is to win; higher levels take several times as long. */
const gzipLevel = 3;

/** Where an export goes: the file that is named, or a new one in the folder that is; it must not be there yet. */
export function placeOfExport(destination: string, exportedAt: Date): string {
  const named = resolve(destination);
  const isFolder = existsSync(named) && statSync(named).isDirectory();
  const stamp = exportedAt
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  const path = isFolder ? join(named, `stillpoint-database-${stamp}.export.gz`) : named;
  if (existsSync(path)) throw databaseRefusal('DATABASE_EXPORT_EXISTS', `${path} is there already.`);
  return path;
}

/**
 * Writes content to a file that only its owner may read and that has its name only once all of it is on the disk.
 * What content throws is thrown as it is; what the disk refuses is DATABASE_EXPORT_NOT_WRITTEN. Answers the size.
 */
export async function writeExportFile(
  path: string,
  content: AsyncIterable<Buffer | string>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const draft = `${path}.partial-${process.pid}`;
  const file = await openDraft(draft, path);
  try {
    const packed = createGzip({ level: gzipLevel });
    const out = file.createWriteStream({ flush: true });
    await pipeline(Readable.from(content, { objectMode: false }), packed, out, signal ? { signal } : {});
    await rename(draft, path);
    await syncFolder(dirname(path));
    return statSync(path).size;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw notWritten(error, path);
  }
}

async function openDraft(draft: string, path: string): Promise<FileHandle> {
  try {
    return await open(draft, 'wx', 0o600);
  } catch (error) {
    throw notWritten(error, path);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Only a refusal by the file system is about the file; it is told by its system call. */
function notWritten(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || !/^(open|write|fsync|fdatasync|rename|close)$/.test(syscall ?? '')) return error;
  return databaseRefusal('DATABASE_EXPORT_NOT_WRITTEN', `${code} at ${path}.`, error);
}
