import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Content } from './content.ts';

/** A file to be put into a ZIP. */
export interface ZipEntry {
  readonly path: string;
  readonly content: Content;
}

const LARGEST_DEFLATED_BYTES = 64 * 1024;
const PIECE_BYTES = 1024 * 1024;
// Times of generated files say nothing; one fixed instant keeps equal content equal.
const WRITTEN_AT = new Date('2024-01-01T00:00:00Z');

/** Writes a ZIP as a stream; large entries are stored, because they are incompressible by construction. */
export function writeZip(entries: readonly ZipEntry[]): AsyncIterable<Buffer> {
  const zip = new ZipFile();
  for (const { path, content } of entries) {
    const compress = content.sizeBytes <= LARGEST_DEFLATED_BYTES;
    const options = { size: content.sizeBytes, compress, mtime: WRITTEN_AT, mode: 0o100644 };
    zip.addReadStreamLazy(path, options, (handOver) => {
      const stream = Readable.from(content.read(), { objectMode: false, highWaterMark: PIECE_BYTES });
      stream.on('error', (error) => zip.emit('error', error));
      handOver(null, stream);
    });
  }
  zip.end();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  return output;
}
