import { createCipheriv, createHash } from 'node:crypto';
import { type Content, withDigest } from './content.ts';

const CIPHER_BLOCK_BYTES = 16;
const PIECE_BYTES = 768 * 1024;
const ZEROS = Buffer.alloc(PIECE_BYTES);

/**
 * Incompressible bytes that follow from a seed alone: the key stream of AES-CTR, which is made at
 * gigabytes per second and from any offset, so that nothing of it has to be kept.
 */
export function seededContent(seed: string, sizeBytes: number): Content {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const read = async function* (fromByte = 0): AsyncIterable<Buffer> {
    const firstBlock = Math.floor(fromByte / CIPHER_BLOCK_BYTES);
    const counter = Buffer.alloc(CIPHER_BLOCK_BYTES);
    counter.writeBigUInt64BE(BigInt(firstBlock), 8);
    const cipher = createCipheriv('aes-128-ctr', key, counter);
    cipher.update(ZEROS.subarray(0, fromByte % CIPHER_BLOCK_BYTES));
    for (let left = sizeBytes - fromByte; left > 0; left -= PIECE_BYTES) {
      yield cipher.update(ZEROS.subarray(0, Math.min(left, PIECE_BYTES)));
    }
  };
  return withDigest({ sizeBytes, read });
}
