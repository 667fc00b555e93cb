import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { errnoOf, FaultError } from './fault.ts';
import { blocksOf, type FileRange } from './file-range.ts';

const unixLink = 0o120000;
const unixTypeMask = 0o170000;

// Most files of an export are so small that a stream to unpack them costs far more than the unpacking.
const smallBytes = 256 * 1024;

/** One file of an archive, as its central directory tells it. */
export interface ZipEntry {
  readonly name: string;
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly isStored: boolean;
  readonly crc32: number;
  readonly raw: Entry;
}

/** Where the packed bytes of an entry lie, and their CRC. */
export interface PackedBytes {
  readonly range: FileRange;
  readonly crc32: number;
}

/** Receives the unpacked bytes of an entry, block by block; a block is reused after the call. */
export type BlockTaker = (block: Buffer) => void | Promise<void>;

/** An archive open for reading; `label` names it in faults. It does not own the file it lies in. */
export class ZipArchive {
  readonly label: string;
  readonly entries: readonly ZipEntry[];
  readonly #range: FileRange;
  readonly #zip: ZipFile;
  readonly #byName: ReadonlyMap<string, readonly ZipEntry[]>;

  private constructor(label: string, range: FileRange, zip: ZipFile, entries: readonly ZipEntry[]) {
    this.label = label;
    this.#range = range;
    this.#zip = zip;
    this.entries = entries;
    this.#byName = Map.groupBy(entries, (entry) => entry.name);
  }

  /** The entries of this name; an archive may hold several, of which readers disagree which one counts. */
  entriesNamed(name: string): readonly ZipEntry[] {
    return this.#byName.get(name) ?? [];
  }

  /** Reads the central directory, at most `maxEntries` of it. */
  static async open(label: string, range: FileRange, maxEntries: number): Promise<ZipArchive> {
    await requireArchive(label, range);
    try {
      const options = { autoClose: false, decodeStrings: false };
      const zip = await fromRandomAccessReaderPromise(new RangeReader(range), range.sizeBytes, options);
      if (zip.entryCount > maxEntries) {
        throw new FaultError(
          'EXPORT_TOO_LARGE',
          `${label} holds ${zip.entryCount} files; at most ${maxEntries} may be.`,
        );
      }
      const entries: ZipEntry[] = [];
      for await (const raw of zip.eachEntry()) entries.push(readEntry(label, raw));
      return new ZipArchive(label, range, zip, entries);
    } catch (error) {
      throw asFault(label, error);
    }
  }

  /** Where the bytes of an entry begin in the file that the archive lies in. */
  async rangeOf(entry: ZipEntry): Promise<FileRange> {
    try {
      const { fileDataStart } = await this.#zip.readLocalFileHeaderPromise(entry.raw, { minimal: true });
      return {
        handle: this.#range.handle,
        start: this.#range.start + fileDataStart,
        sizeBytes: entry.packedBytes,
      };
    } catch (error) {
      throw asFault(this.label, error);
    }
  }

  /** Unpacks one entry to its end and checks its size and CRC; answers what it was unpacked from. */
  async read(entry: ZipEntry, take: BlockTaker): Promise<PackedBytes> {
    const label = `"${entry.name}" in ${this.label}`;
    const range = await this.rangeOf(entry);
    let unpackedBytes = 0;
    let crc = 0;
    const takeBlock = async (block: Buffer): Promise<void> => {
      unpackedBytes += block.length;
      if (unpackedBytes > entry.sizeBytes) {
        throw new FaultError(
          'EXPORT_DAMAGED',
          `${label} unpacks to more than the ${entry.sizeBytes} bytes it states.`,
        );
      }
      crc = crc32(block, crc);
      await take(block);
    };
    let packedCrc = entry.crc32;
    try {
      if (entry.isStored) for await (const block of blocksOf(range)) await takeBlock(block);
      else packedCrc = await inflate(range, entry.sizeBytes, takeBlock);
    } catch (error) {
      throw asFault(label, error);
    }
    if (unpackedBytes !== entry.sizeBytes) {
      throw new FaultError(
        'EXPORT_DAMAGED',
        `${label} has ${unpackedBytes} bytes, but states ${entry.sizeBytes}.`,
      );
    }
    if (crc !== entry.crc32) throw new FaultError('EXPORT_BAD_CRC', `${label} does not match its CRC.`);
    return { range, crc32: packedCrc };
  }
}

class RangeReader extends RandomAccessReader {
  readonly #range: FileRange;

  constructor(range: FileRange) {
    super();
    this.#range = range;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    const { handle, start, sizeBytes } = this.#range;
    const allowedBytes = Math.max(0, Math.min(length, sizeBytes - position));
    handle.read(buffer, offset, allowedBytes, start + position).then(
      ({ bytesRead }) => callback(null, bytesRead),
      (error: Error) => callback(error),
    );
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}

async function requireArchive(label: string, range: FileRange): Promise<void> {
  if (range.sizeBytes === 0) throw new FaultError('EXPORT_EMPTY', `${label} has no content.`);
  const head = Buffer.alloc(4);
  await range.handle.read(head, 0, 4, range.start);
  // An archive without any file begins with its end record.
  const signature = head.readUInt32LE(0);
  if (signature !== 0x04034b50 && signature !== 0x06054b50) {
    throw new FaultError('EXPORT_NOT_A_ZIP', `${label} does not begin like a ZIP archive.`);
  }
}

function readEntry(label: string, raw: Entry): ZipEntry {
  const name = decodeName(raw.fileNameRaw);
  const isLink = ((raw.externalFileAttributes >>> 16) & unixTypeMask) === unixLink;
  const leavesFolder = name.startsWith('/') || /[\\\0]/.test(name) || name.split('/').includes('..');
  if (isLink || leavesFolder) {
    throw new FaultError('EXPORT_UNSAFE_ENTRY', `${label} holds the entry ${JSON.stringify(name)}.`);
  }
  if (raw.isEncrypted() || !raw.canDecodeFileData()) {
    throw new FaultError(
      'EXPORT_UNSUPPORTED_COMPRESSION',
      `"${name}" in ${label} is encrypted or packed by method ${raw.compressionMethod}.`,
    );
  }
  return {
    name,
    sizeBytes: raw.uncompressedSize,
    packedBytes: raw.compressedSize,
    isStored: raw.compressionMethod === 0,
    crc32: raw.crc32,
    raw,
  };
}

// Appliances do not set the UTF-8 flag, whatever the bytes of a name are.
function decodeName(raw: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    return raw.toString('latin1');
  }
}

// Answers the CRC of the packed bytes.
async function inflate(range: FileRange, sizeBytes: number, take: BlockTaker): Promise<number> {
  if (range.sizeBytes <= smallBytes && sizeBytes <= smallBytes) {
    const packed = await readWhole(range);
    const unpacked = inflateAtOnce(packed, sizeBytes);
    if (unpacked !== undefined) {
      await take(unpacked);
      return crc32(packed);
    }
  }
  return inflateInBlocks(range, take);
}

async function readWhole(range: FileRange): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of blocksOf(range)) blocks.push(Buffer.from(block));
  return Buffer.concat(blocks);
}

// Nothing for bytes that do not unpack to what they should: what is wrong with them is told block by block.
function inflateAtOnce(packed: Buffer, sizeBytes: number): Buffer | undefined {
  try {
    return inflateRawSync(packed, { chunkSize: Math.max(sizeBytes + 1, 64), maxOutputLength: sizeBytes + 1 });
  } catch {
    return undefined;
  }
}

async function inflateInBlocks(range: FileRange, take: BlockTaker): Promise<number> {
  let packedCrc = 0;
  // The inflater may keep a block until it asks for the next one; copies make the reuse of the buffer harmless.
  const copies = async function* (): AsyncGenerator<Buffer> {
    for await (const block of blocksOf(range)) {
      packedCrc = crc32(block, packedCrc);
      yield Buffer.from(block);
    }
  };
  const packed = Readable.from(copies(), { objectMode: true, highWaterMark: 1 });
  await pipeline(packed, createInflateRaw({ chunkSize: 256 * 1024 }), async (unpacked) => {
    for await (const block of unpacked as AsyncIterable<Buffer>) await take(block);
  });
  return packedCrc;
}

function asFault(label: string, error: unknown): unknown {
  if (error instanceof FaultError || errnoOf(error) !== undefined || !(error instanceof Error)) return error;
  if (/not found|unexpected EOF|unexpected end of file|overflows file bounds/.test(error.message)) {
    return new FaultError('EXPORT_TRUNCATED', `${label} ends too early.`);
  }
  if (isArchiveError(error))
    return new FaultError('EXPORT_DAMAGED', `${label} cannot be read: ${error.message}.`);
  return error;
}

// What zlib and yauzl throw for bad input; anything else is a bug and must not pass for a bad archive.
function isArchiveError(error: Error): boolean {
  const isZlib = 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
  return isZlib || error.constructor === Error;
}
