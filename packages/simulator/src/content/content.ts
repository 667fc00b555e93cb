import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Bytes that can be read again and again without being held in memory. */
export interface Content {
  readonly sizeBytes: number;
  /** Reads the bytes from an offset on, in pieces. */
  read(fromByte?: number): AsyncIterable<Buffer>;
  /** The same bytes already encoded, where somebody thought it worth keeping. */
  readonly encoded?: { readonly lineWidth: 0 | 76; readonly text: Content };
  /** The SHA-256 of all bytes as lower-case hex; computed at most once. */
  sha256(): Promise<string>;
}

const PIECE_BYTES = 768 * 1024;

/** Content that lies in memory. */
export function bufferContent(bytes: Buffer): Content {
  const read = async function* (fromByte = 0): AsyncIterable<Buffer> {
    for (let start = fromByte; start < bytes.length; start += PIECE_BYTES) {
      yield bytes.subarray(start, start + PIECE_BYTES);
    }
  };
  return withDigest({ sizeBytes: bytes.length, read });
}

/** Content that lies in a file of known size. */
export function fileContent(path: string, sizeBytes: number): Content {
  const read = (fromByte = 0): AsyncIterable<Buffer> =>
    createReadStream(path, { start: fromByte, highWaterMark: PIECE_BYTES });
  return withDigest({ sizeBytes, read });
}

/** The first bytes of a content. */
export function truncatedContent(content: Content, sizeBytes: number): Content {
  const read = async function* (fromByte = 0): AsyncIterable<Buffer> {
    let left = sizeBytes - fromByte;
    for await (const piece of left > 0 ? content.read(fromByte) : []) {
      yield piece.subarray(0, left);
      left -= piece.length;
      if (left <= 0) {
        return;
      }
    }
  };
  return withDigest({ sizeBytes, read });
}

/** A content with all bits of the byte at one offset turned over. */
export function flippedContent(content: Content, atByte: number): Content {
  const read = async function* (fromByte = 0): AsyncIterable<Buffer> {
    let start = fromByte;
    for await (const piece of content.read(fromByte)) {
      const offset = atByte - start;
      start += piece.length;
      const changed = Buffer.from(piece);
      if (offset >= 0 && offset < piece.length) {
        changed[offset] = (piece[offset] ?? 0) ^ 0xff;
      }
      yield changed;
    }
  };
  return withDigest({ sizeBytes: content.sizeBytes, read });
}

/** Hashes a content piece by piece. */
export async function digestOf(
  content: Content,
  algorithm: 'sha1' | 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
): Promise<string> {
  const hash = createHash(algorithm);
  for await (const piece of content.read()) {
    hash.update(piece);
  }
  return hash.digest(encoding);
}

/** Reads a content that is known to be small into memory. */
export async function bytesOf(content: Content, fromByte = 0): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content.read(fromByte)) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Completes a content with a SHA-256 that is computed when first asked for. */
export function withDigest(bytes: Omit<Content, 'sha256'>): Content {
  let digest: Promise<string> | undefined;
  const content: Content = {
    ...bytes,
    sha256: () => {
      digest ??= digestOf(content, 'sha256', 'hex');
      return digest;
    },
  };
  return content;
}
