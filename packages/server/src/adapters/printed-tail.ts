/** Keeps the last bytes of what was printed. */
export class PrintedTail {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #isCut = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
    this.#isCut ||= this.#sizeBytes > this.#limitBytes;
    for (;;) {
      const oldestBytes = this.#chunks[0]?.length ?? 0;
      if (oldestBytes === 0 || this.#sizeBytes - oldestBytes < this.#limitBytes) break;
      this.#chunks.shift();
      this.#sizeBytes -= oldestBytes;
    }
  }

  /**
   * What is not UTF-8 shows as replacement characters; NUL, which the database does not take, too. Other control
   * characters stay as they were printed: whoever shows the text on a terminal makes them harmless.
   */
  text(): string {
    const all = Buffer.concat(this.#chunks);
    const kept = all.subarray(Math.max(0, all.length - this.#limitBytes));
    const text = kept.subarray(this.#isCut ? restOfCharacter(kept) : 0).toString('utf8');
    return text.replaceAll('\0', '\uFFFD');
  }
}

/** How many bytes at the beginning belong to a character that was cut in two. */
function restOfCharacter(bytes: Buffer): number {
  const begin = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return begin > 0 && begin < 4 ? begin : 0;
}
