import { WireProblem } from './wire-problem.ts';

const PIECE_BYTES = 64 * 1024;
const BLOCK_BYTES = 256 * 1024;
/** Most files are small; larger ones get larger blocks. */
const FIRST_BLOCK_BYTES = 64 * 1024;
const PIECE_DECODED_BYTES = Math.ceil(((PIECE_BYTES + 3) * 3) / 4);

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PADDING = 0x3d;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

const WHITE_SPACE = -2;
const INVALID = -1;
const SEXTETS = sextetTable();

/**
 * Decodes base64 text that arrives in chunks of any size and hands out blocks of bytes, never holding more than one
 * block. Strict about alphabet, padding and length (a `WireProblem` with code `BASE64_INVALID`), tolerant of white space.
 */
export class Base64Decoder {
  readonly #emit: (block: Uint8Array) => void;
  // A block belongs to the receiver once it was handed out, so each is a new one.
  #block = Buffer.alloc(0);
  #blockLength = 0;
  readonly #joined = Buffer.allocUnsafeSlow(PIECE_BYTES + 3);
  readonly #carry = new Uint8Array(3);
  #carryLength = 0;
  #paddingLength = 0;
  #sizeBytes = 0;

  constructor(emit: (block: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** Takes the next part of the text. */
  write(chunk: Buffer): void {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      this.#writePiece(chunk.subarray(start, start + PIECE_BYTES));
    }
  }

  /** Ends the text, hands out what is left and returns the number of bytes decoded in all. */
  finish(): { sizeBytes: number } {
    const length = this.#carryLength;
    if ((length + this.#paddingLength) % 4 !== 0) {
      throw new WireProblem('BASE64_INVALID', 'The base64 text is not a whole number of groups of four.');
    }
    if (length > 0) this.#writeLastGroup(length);
    this.#flush();
    return { sizeBytes: this.#sizeBytes };
  }

  #writePiece(piece: Buffer): void {
    if (this.#paddingLength > 0) {
      for (const byte of piece) this.#takeAfterPadding(byte);
      return;
    }
    const input = this.#joinCarry(piece);
    if (this.#reserveAndTryFast(input)) return;
    this.#writeStrictly(input);
  }

  // A group cut in two by the end of a chunk goes on in the next one.
  #joinCarry(piece: Buffer): Buffer {
    if (this.#carryLength === 0) return piece;
    this.#joined.set(this.#carry.subarray(0, this.#carryLength));
    piece.copy(this.#joined, this.#carryLength);
    const length = this.#carryLength + piece.length;
    this.#carryLength = 0;
    return this.#joined.subarray(0, length);
  }

  // Node's own decoder runs at memory speed but skips what it does not know. Nothing was skipped exactly when it gives
  // as many bytes as the text must have, so counting is enough; only the URL alphabet, which it takes too, must be
  // looked for.
  #reserveAndTryFast(input: Buffer): boolean {
    if (this.#blockLength + PIECE_DECODED_BYTES > this.#block.length) {
      this.#flush();
      this.#block = Buffer.allocUnsafeSlow(this.#sizeBytes === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES);
    }
    if (input.includes(PADDING)) return false;
    if (input.includes(DASH) || input.includes(UNDERSCORE)) return false;

    const characters = input.length - countLineEnds(input);
    const end = this.#keepRest(input, characters % 4);
    if (end === -1) return false;
    const expected = ((characters - this.#carryLength) / 4) * 3;
    const written = this.#block.write(input.toString('latin1', 0, end), this.#blockLength, 'base64');
    if (written !== expected) {
      this.#carryLength = 0;
      return false;
    }
    this.#advance(written);
    return true;
  }

  // Puts the last characters, which are no whole group, into the carry and returns where the whole groups end, or -1
  // when there are fewer characters than were counted.
  #keepRest(input: Buffer, count: number): number {
    let end = input.length;
    for (let missing = count; missing > 0; ) {
      end -= 1;
      if (end < 0) return -1;
      const byte = input[end] ?? 0;
      if (SEXTETS[byte] === WHITE_SPACE) continue;
      missing -= 1;
      this.#carry[missing] = byte;
    }
    this.#carryLength = count;
    return end;
  }

  #writeStrictly(input: Buffer): void {
    const compact = Buffer.allocUnsafe(input.length);
    let length = 0;
    for (const byte of input) {
      if (this.#paddingLength > 0 || byte === PADDING) {
        this.#takeAfterPadding(byte);
        continue;
      }
      const sextet = SEXTETS[byte] ?? INVALID;
      if (sextet === WHITE_SPACE) continue;
      if (sextet === INVALID) throw invalidByte(byte);
      compact[length] = byte;
      length += 1;
    }
    if (this.#paddingLength > 2)
      throw new WireProblem('BASE64_INVALID', 'The base64 text has too much padding.');
    const rest = length % 4;
    this.#carry.set(compact.subarray(length - rest, length));
    this.#carryLength = rest;
    this.#advance(
      this.#block.write(compact.toString('latin1', 0, length - rest), this.#blockLength, 'base64'),
    );
  }

  // Nothing but the rest of the padding and white space may follow the first sign of padding.
  #takeAfterPadding(byte: number): void {
    if (byte !== PADDING) {
      if (SEXTETS[byte] === WHITE_SPACE) return;
      if (SEXTETS[byte] === INVALID) throw invalidByte(byte);
      throw new WireProblem('BASE64_INVALID', 'The base64 text goes on after its padding.');
    }
    this.#paddingLength += 1;
    if (this.#paddingLength > 2) {
      throw new WireProblem('BASE64_INVALID', 'The base64 text has too much padding.');
    }
  }

  #writeLastGroup(length: number): void {
    const group = this.#carry.subarray(0, length);
    const last = SEXTETS[group[length - 1] ?? 0] ?? INVALID;
    for (const byte of group) {
      if ((SEXTETS[byte] ?? INVALID) < 0) throw invalidByte(byte);
    }
    const unusedBits = length === 2 ? 0b1111 : 0b11;
    if ((last & unusedBits) !== 0) {
      throw new WireProblem('BASE64_INVALID', 'The last base64 group has bits that belong to no byte.');
    }
    this.#advance(this.#block.write(Buffer.from(group).toString('latin1'), this.#blockLength, 'base64'));
  }

  #advance(count: number): void {
    this.#blockLength += count;
    this.#sizeBytes += count;
  }

  #flush(): void {
    if (this.#blockLength === 0) return;
    const block = this.#block.subarray(0, this.#blockLength);
    this.#block = Buffer.alloc(0);
    this.#blockLength = 0;
    this.#emit(block);
  }
}

// Counts the line ends of evenly wrapped text by stepping from line to line. Text wrapped in any other way is counted
// too low, which only means that it takes the strict road.
function countLineEnds(input: Buffer): number {
  const first = input.indexOf(LINE_FEED);
  if (first === -1) return 0;
  const second = input.indexOf(LINE_FEED, first + 1);
  const stride = second === -1 ? input.length : second - first;
  let count = 0;
  for (let position = first; position < input.length && input[position] === LINE_FEED; position += stride) {
    count += position > 0 && input[position - 1] === CARRIAGE_RETURN ? 2 : 1;
  }
  return input[input.length - 1] === CARRIAGE_RETURN ? count + 1 : count;
}

function invalidByte(byte: number): WireProblem {
  if (byte === 0) return new WireProblem('REPLY_HAS_NUL', 'The base64 text holds a NUL byte.');
  const shown = byte.toString(16).padStart(2, '0');
  return new WireProblem('BASE64_INVALID', `The base64 text holds the byte 0x${shown}.`);
}

function sextetTable(): Int8Array {
  const table = new Int8Array(256).fill(INVALID);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (let value = 0; value < alphabet.length; value += 1) table[alphabet.charCodeAt(value)] = value;
  for (const character of ' \t\r\n') table[character.charCodeAt(0)] = WHITE_SPACE;
  return table;
}
