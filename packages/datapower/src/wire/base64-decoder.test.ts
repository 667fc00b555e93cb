import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Base64Decoder } from './base64-decoder.ts';
import { WireProblem } from './wire-problem.ts';

function decode(chunks: readonly Buffer[]): Buffer {
  const blocks: Uint8Array[] = [];
  const decoder = new Base64Decoder((block) => blocks.push(block));
  for (const chunk of chunks) decoder.write(chunk);
  const { sizeBytes } = decoder.finish();
  const bytes = Buffer.concat(blocks);
  expect(sizeBytes).toBe(bytes.length);
  return bytes;
}

function codeOf(text: string | Buffer): string {
  try {
    decode([Buffer.from(text)]);
  } catch (error) {
    if (error instanceof WireProblem) return error.code;
    throw error;
  }
  return 'none';
}

function splitAt(text: Buffer, positions: readonly number[]): Buffer[] {
  const sorted = [0, ...positions.map((position) => position % (text.length + 1)), text.length].sort(
    (a, b) => a - b,
  );
  return sorted.slice(1).map((end, i) => text.subarray(sorted[i], end));
}

function wrap(text: string, width: number, lineEnd: string): string {
  return (text.match(new RegExp(`.{1,${width}}`, 'gu')) ?? []).map((line) => line + lineEnd).join('');
}

const lineEnds = fc.constantFrom('\n', '\r\n', ' \n', '\n\t', ' ');

/** An independent judge: Node's decoder is lenient, so the text must also survive the way back. */
function reference(text: string): Buffer | null {
  const compact = text.replace(/[ \t\r\n]/gu, '');
  const bytes = Buffer.from(compact, 'base64');
  return bytes.toString('base64') === compact ? bytes : null;
}

describe('base64 in chunks', () => {
  it('gives the same bytes at every single split of a short text', () => {
    const bytes = Buffer.from('any carnal pleas');
    for (const text of [bytes.toString('base64'), wrap(bytes.toString('base64'), 5, '\r\n')]) {
      for (let position = 0; position <= text.length; position += 1) {
        expect(decode(splitAt(Buffer.from(text), [position]))).toEqual(bytes);
      }
      expect(decode([...Buffer.from(text)].map((byte) => Buffer.from([byte])))).toEqual(bytes);
    }
  });

  it('equals the reference for any bytes, wrapping and splits', () => {
    const cases = fc.tuple(
      fc.uint8Array({ maxLength: 2000 }),
      fc.integer({ min: 1, max: 100 }),
      lineEnds,
      fc.array(fc.nat(), { maxLength: 12 }),
    );
    fc.assert(
      fc.property(cases, ([bytes, width, lineEnd, positions]) => {
        const text = Buffer.from(wrap(Buffer.from(bytes).toString('base64'), width, lineEnd));
        expect(decode(splitAt(text, positions))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('judges any text, however split, as the reference does', () => {
    const characters = fc.constantFrom(...'ABab01+/+/=-_ \n\r\t!é'.split(''));
    const cases = fc.tuple(
      fc.array(characters, { maxLength: 24 }).map((list) => list.join('')),
      fc.array(fc.nat(), { maxLength: 4 }),
    );
    fc.assert(
      fc.property(cases, ([text, positions]) => {
        const expected = reference(text);
        let decoded: Buffer | null = null;
        try {
          decoded = decode(splitAt(Buffer.from(text, 'utf8'), positions));
        } catch (error) {
          expect(error).toBeInstanceOf(WireProblem);
        }
        expect(decoded).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it('crosses its own piece and block borders without losing a byte', () => {
    const bytes = Buffer.alloc(700_001, 'Stillpoint ');
    for (const text of [bytes.toString('base64'), wrap(bytes.toString('base64'), 76, '\n')]) {
      const whole = Buffer.from(text);
      expect(decode([whole]).equals(bytes)).toBe(true);
      expect(decode(splitAt(whole, [65_535, 65_536, 65_537, 131_073, 400_000])).equals(bytes)).toBe(true);
    }
  });

  it('finds one wrong byte anywhere in a long text', () => {
    const text = wrap(Buffer.alloc(3000, 7).toString('base64'), 76, '\n');
    for (const wrong of ['!', '-', '_', '=', '\xff', '\v', '\f']) {
      for (let position = 0; position < text.length - 1; position += 61) {
        const damaged = Buffer.from(text, 'latin1');
        damaged.write(wrong, position, 'latin1');
        expect(codeOf(damaged)).toBe('BASE64_INVALID');
      }
    }
  });

  it.each([
    ['one character short', 'QUJ'],
    ['one character', 'Q'],
    ['padding missing', 'QQ='],
    ['too much padding', 'QUJD='],
    ['three signs of padding', 'Q==='],
    ['padding alone', '===='],
    ['text after the padding', 'QQ==QUJD'],
    ['padding in the middle', 'QU=D'],
    ['unused bits that are set', 'QR=='],
    ['the URL alphabet', 'QUJ-'],
    ['an entity', 'QUJD&#13;QUJD'],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('BASE64_INVALID');
  });

  it('tells a NUL byte from other wrong bytes', () => {
    expect(codeOf('QUJD\0QUJD')).toBe('REPLY_HAS_NUL');
  });

  it('takes white space alone as no bytes at all', () => {
    expect(decode([Buffer.from(' \r\n\t')])).toEqual(Buffer.alloc(0));
  });
});
