import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bufferContent, bytesOf, flippedContent, truncatedContent } from './content.ts';
import { type Base64Damage, encodeBase64 } from './encode-base64.ts';
import { seededContent } from './seeded-content.ts';
import { createSpool } from './spool.ts';

const MEBIBYTE = 1024 * 1024;

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) {
    text += piece;
  }
  return text;
}

describe('seeded content', () => {
  test('is the same each time, differs by seed, and can be read from anywhere', async () => {
    const whole = await bytesOf(seededContent('a', 2 * MEBIBYTE + 5));
    expect(whole.length).toBe(2 * MEBIBYTE + 5);
    expect(
      (await bytesOf(seededContent('a', 2 * MEBIBYTE + 5), 1_000_003)).equals(whole.subarray(1_000_003)),
    ).toBe(true);
    expect((await bytesOf(seededContent('b', 64))).equals(whole.subarray(0, 64))).toBe(false);
  });

  test('knows its hash', async () => {
    const content = seededContent('a', 100_000);
    const expected = createHash('sha256')
      .update(await bytesOf(content))
      .digest('hex');
    expect(await content.sha256()).toBe(expected);
  });
});

describe('damaged content', () => {
  test('ends early or has one byte turned over', async () => {
    const content = seededContent('a', MEBIBYTE);
    const whole = await bytesOf(content);
    expect((await bytesOf(truncatedContent(content, 900_000))).equals(whole.subarray(0, 900_000))).toBe(true);
    const flipped = await bytesOf(flippedContent(content, 800_000));
    const changed = [...flipped.keys()].filter((at) => flipped[at] !== whole[at]);
    expect(changed).toEqual([800_000]);
  });
});

describe('base64', () => {
  test.each([0, 1, 2, 3, 56, 57, 58, 786_431, 786_433])('%i bytes survive in both styles', async (size) => {
    const content = seededContent('a', size);
    const bytes = await bytesOf(content);
    const oneLine = await textOf(encodeBase64(content, { lineWidth: 0 }));
    expect(oneLine === bytes.toString('base64')).toBe(true);
    const lines = await textOf(encodeBase64(content, { lineWidth: 76 }));
    expect(lines.split('\n').every((line) => line.length <= 76)).toBe(true);
    expect(lines.replaceAll('\n', '') === oneLine).toBe(true);
  });

  test.each<Base64Damage>(['alphabet', 'padding', 'length'])(
    'a wrong %s is no base64 any more',
    async (damage) => {
      const content = bufferContent(Buffer.from('some bytes to be encoded'));
      const text = await textOf(encodeBase64(content, { lineWidth: 0, damage }));
      expect(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)).toBe(false);
    },
  );
});

describe('a spool', () => {
  test('keeps small streams in memory, large ones in files, and leaves nothing behind', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'stillpoint-spool-test-'));
    try {
      const spool = await createSpool(parent);
      const folder = join(parent, (await readdir(parent))[0] ?? '');
      const small = await spool.keep(seededContent('s', 1000).read());
      expect(await readdir(folder)).toEqual([]);
      const large = await spool.keep(seededContent('l', 3 * MEBIBYTE).read());
      expect(await readdir(folder)).toHaveLength(1);
      expect(small.sizeBytes).toBe(1000);
      expect(await large.sha256()).toBe(await seededContent('l', 3 * MEBIBYTE).sha256());
      expect((await bytesOf(large, MEBIBYTE)).length).toBe(2 * MEBIBYTE);
      await spool.discard(large);
      expect(await readdir(folder)).toEqual([]);
      await spool.remove();
      expect(await readdir(parent)).toEqual([]);
    } finally {
      await rm(parent, { recursive: true });
    }
  });
});
