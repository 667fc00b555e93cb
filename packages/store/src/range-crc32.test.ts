import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { combineCrc32 } from './combine-crc32.ts';
import { type FileRange, openFileRange } from './file-range.ts';
import { RangeCrc32 } from './range-crc32.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const content = randomBytes(3 * mebibyte + 1);
const rangeStart = 1000;
const ranged = content.subarray(rangeStart);
let folder: string;
let file: FileRange;
let range: FileRange;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-crc-'));
  await writeFile(join(folder, 'file'), content);
  file = await openFileRange(join(folder, 'file'));
  range = { handle: file.handle, start: rangeStart, sizeBytes: ranged.length };
});

afterEach(async () => {
  await file.handle.close();
  await rm(folder, { recursive: true });
});

function partAt(offset: number, sizeBytes: number): [FileRange, number] {
  const part = { handle: range.handle, start: rangeStart + offset, sizeBytes };
  return [part, crc32(ranged.subarray(offset, offset + sizeBytes))];
}

test('the CRC of two stretches follows from the CRC of each, whatever their sizes', () => {
  const bytes = fc.uint8Array({ maxLength: 5000 });
  fc.assert(
    fc.property(bytes, bytes, (first, second) => {
      const combined = combineCrc32(crc32(first), crc32(second), second.length);
      return combined === crc32(second, crc32(first));
    }),
    { numRuns: 500 },
  );
});

test('sizes beyond 4 GiB are combined as well', () => {
  // Zeros are the same in any order, so 8 GiB of them can be put together in two ways.
  let doubled = crc32(Buffer.alloc(mebibyte));
  let eighth = doubled;
  for (let sizeBytes = mebibyte; sizeBytes < 8 * gibibyte; sizeBytes *= 2) {
    if (sizeBytes === gibibyte) eighth = doubled;
    doubled = combineCrc32(doubled, doubled, sizeBytes);
  }
  let added = 0;
  for (let step = 0; step < 8; step += 1) added = combineCrc32(added, eighth, gibibyte);
  expect(doubled).toBe(added);
});

test('a range without known parts is read', async () => {
  expect(await new RangeCrc32(range).finish()).toBe(crc32(ranged));
});

test('known parts and what lies around them make the CRC of the range', async () => {
  const crc = new RangeCrc32(range);
  await crc.addPart(...partAt(10, 100_000));
  await crc.addPart(...partAt(100_010, mebibyte));
  await crc.addPart(...partAt(2 * mebibyte, 70_000));
  expect(await crc.finish()).toBe(crc32(ranged));
});

test('a known part is not read again', async () => {
  const crc = new RangeCrc32(range);
  await crc.addPart(partAt(10, 100_000)[0], 0);
  expect(await crc.finish()).not.toBe(crc32(ranged));
});

test('parts that overlap or run backwards count for nothing', async () => {
  for (const [offset, sizeBytes] of [[50_000, 100_000] as const, [0, 100_000] as const]) {
    const crc = new RangeCrc32(range);
    await crc.addPart(...partAt(10, 100_000));
    await crc.addPart(...partAt(offset, sizeBytes));
    await crc.addPart(...partAt(mebibyte, 100_000));
    expect(await crc.finish()).toBe(crc32(ranged));
  }
});

test('parts that reach beyond the range count for nothing', async () => {
  const crc = new RangeCrc32(range);
  await crc.addPart({ handle: range.handle, start: rangeStart, sizeBytes: ranged.length + 1 }, 0);
  expect(await crc.finish()).toBe(crc32(ranged));
});
