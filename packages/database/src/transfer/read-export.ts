import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { databaseRefusal } from '../database-error.ts';

/** Longer than any line that is not a row. */
const longestLineBytes = 1024 * 1024;
const endMark = Buffer.from('\n\\.\n');

/** The content of an export file, read once from beginning to end in bounded memory. */
export class ExportReader {
  readonly path: string;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #hash: Hash = createHash('sha256');
  #hashBeforeLine: Hash = this.#hash;
  #held: Buffer = Buffer.alloc(0);

  constructor(path: string, signal?: AbortSignal) {
    this.path = path;
    // Errors come out of the iterator; a callback that does nothing keeps them from being thrown besides.
    const unpacked = pipeline(createReadStream(path), createGunzip(), () => undefined);
    if (signal !== undefined) signal.addEventListener('abort', () => unpacked.destroy(), { once: true });
    this.#chunks = unpacked[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next line without its end, parsed as JSON; undefined at the end of the file. */
  async readLine(): Promise<unknown> {
    let end = this.#held.indexOf('\n');
    while (end < 0) {
      if (this.#held.length > longestLineBytes) throw damaged(this.path, 'a line of it has no end');
      const before = this.#held.length;
      if (!(await this.#readOn())) {
        if (before === 0) return undefined;
        throw cut(this.path);
      }
      end = this.#held.indexOf('\n', before);
    }
    this.#hashBeforeLine = this.#hash.copy();
    const line = this.#take(end + 1).toString('utf8');
    try {
      return JSON.parse(line) as unknown;
    } catch {
      throw damaged(this.path, 'a line of it is not JSON');
    }
  }

  /** SHA-256, in hexadecimal, of everything before the line that was read last. */
  digestBeforeLine(): string {
    return this.#hashBeforeLine.copy().digest('hex');
  }

  /** The rows of a table, up to and without the line that ends them. */
  async *readRows(): AsyncGenerator<Buffer> {
    let isFirst = true;
    for (;;) {
      // Before the first row there is no line feed of a row before it.
      const mark = isFirst ? endMark.subarray(1) : endMark;
      while (this.#held.length < mark.length) if (!(await this.#readOn())) throw cut(this.path);
      const end = isFirst
        ? this.#held.subarray(0, mark.length).equals(mark)
          ? 0
          : -1
        : this.#held.indexOf(mark);
      if (isFirst && end < 0) {
        isFirst = false;
        continue;
      }
      if (end >= 0) {
        if (!isFirst) yield this.#take(end + 1);
        this.#take(endMark.length - 1);
        return;
      }
      // The mark may have begun in the last bytes.
      yield this.#take(this.#held.length - endMark.length + 1);
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #readOn(): Promise<boolean> {
    const { value, done } = await this.#chunks.next().catch((error: unknown) => {
      throw describeUnreadable(this.path, error);
    });
    if (done === true) return false;
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    this.#hash.update(taken);
    return taken;
  }
}

function describeUnreadable(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined)
    return databaseRefusal('DATABASE_EXPORT_NOT_READABLE', `${code} at ${path}.`, error);
  if (code === 'Z_BUF_ERROR') return cut(path);
  if (code === 'Z_DATA_ERROR') return damaged(path, 'it is not, or no longer, a whole gzip file');
  return error;
}

/** The refusal of a file that ends too early. */
function cut(path: string) {
  return databaseRefusal('DATABASE_EXPORT_DAMAGED', `${path} ends before its last line: it was cut.`);
}

/** The refusal of a file that is not what was written; `what` goes on after "because". */
export function damaged(path: string, what: string) {
  return databaseRefusal('DATABASE_EXPORT_DAMAGED', `${path} is not what an export wrote: ${what}.`);
}
