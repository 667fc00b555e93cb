import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';

/** An unpacked file with what the ZIP says its CRC is. */
export interface UnpackedFile {
  readonly bytes: Buffer;
  readonly isCrcRight: boolean;
}

/** Unpacks a ZIP held in memory; rejects when it is damaged. */
export async function readZip(zip: Buffer): Promise<ReadonlyMap<string, UnpackedFile>> {
  const opened = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(zip, { lazyEntries: true }, (error, file) => (error ? reject(error) : resolve(file)));
  });
  const files = new Map<string, UnpackedFile>();
  await new Promise<void>((resolve, reject) => {
    opened.on('error', reject);
    opened.on('end', resolve);
    opened.on('entry', (entry: Entry) => {
      opened.openReadStream(entry, (error, stream) => {
        if (error) {
          reject(error);
          return;
        }
        buffer(stream).then((bytes) => {
          files.set(entry.fileName, { bytes, isCrcRight: crc32(bytes) === entry.crc32 });
          opened.readEntry();
        }, reject);
      });
    });
    opened.readEntry();
  });
  return files;
}

/** The text of a file in an unpacked ZIP; throws when it is not there. */
export function unpackedText(files: ReadonlyMap<string, UnpackedFile>, path: string): string {
  const file = files.get(path);
  if (file === undefined) {
    throw new Error(`there is no ${path} among ${[...files.keys()].join(', ')}`);
  }
  return file.bytes.toString();
}
