import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exportFileName, folderOf } from './layout.ts';
import { safeName } from './safe-name.ts';

const awkward = fc.constantFrom(
  ...[
    '',
    '.',
    '..',
    '...',
    '/',
    '%',
    '%~',
    '%2F',
    '%2f',
    '\0',
    '\n',
    '\\',
    ' ',
    'a ',
    ' a',
    'a.',
    '.a',
    '~',
    '*',
  ],
  ...[
    '.stillpoint',
    'all-domains',
    'All-Domains',
    '%61ll-domains',
    'lost+found',
    'con',
    'CON.txt',
    'nul',
    '\ud800',
  ],
  ...[
    'secure-backup',
    'domain',
    'é',
    'e\u0301',
    '\u{1f600}',
    'a'.repeat(200),
    'a'.repeat(201),
    '..'.repeat(120),
  ],
);
const anyName = fc.oneof(
  awkward,
  fc.array(awkward, { maxLength: 4 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 20,
  }),
);

// The reverse of the encoding, written apart from it: when it gives back the name, no other name has this form.
function decode(encoded: string): string {
  if (encoded === '%~') return '';
  let decoded = '';
  for (const [part] of encoded.matchAll(/(?:%[0-9A-F]{2})+|[^%]/g)) {
    decoded += part.startsWith('%') ? decodeBytes(Buffer.from(part.replaceAll('%', ''), 'hex')) : part;
  }
  return decoded;
}

function decodeBytes(bytes: Buffer): string {
  let decoded = '';
  for (let index = 0; index < bytes.length; ) {
    const [one = 0, two = 0, three = 0] = bytes.subarray(index);
    if (one === 0xed && two >= 0xa0) {
      decoded += String.fromCharCode(((one & 0x0f) << 12) | ((two & 0x3f) << 6) | (three & 0x3f));
      index += 3;
      continue;
    }
    const length = one < 0x80 ? 1 : one < 0xe0 ? 2 : one < 0xf0 ? 3 : 4;
    decoded += bytes.toString('utf8', index, index + length);
    index += length;
  }
  return decoded;
}

test('a plain name is its own file name', () => {
  for (const name of ['QA1', 'dp-prod_01', 'My.Domain', 'a b', 'A+B (1)', 'default'])
    expect(safeName(name)).toBe(name);
});

test('names that are not plain file names are percent-encoded', () => {
  expect(safeName('..')).toBe('%2E%2E');
  expect(safeName('a/b')).toBe('a%2Fb');
  expect(safeName('100%')).toBe('100%25');
  expect(safeName('.stillpoint')).toBe('%2Estillpoint');
  expect(safeName('all-domains')).toBe('%61ll-domains');
  expect(safeName('a\nb')).toBe('a%0Ab');
  expect(safeName('é')).toBe('%C3%A9');
  expect(safeName('')).toBe('%~');
});

test('every name gives one plain, visible file name of at most 200 bytes', () => {
  const reserved = new Set(['all-domains', 'lost+found', '.stillpoint']);
  fc.assert(
    fc.property(anyName, (name) => {
      const safe = safeName(name);
      const isPlain = /^[!-~]([ -~]*[!-~])?$/.test(safe) && !/[/\\<>:"|?*]|^\.|\.$/.test(safe);
      return isPlain && safe.length <= 200 && !reserved.has(safe);
    }),
    { numRuns: 100_000 },
  );
});

test('a file name leads back to the one name it stands for', () => {
  fc.assert(
    fc.property(anyName, (name) => {
      const safe = safeName(name);
      // A shortened form ends in a digest of the whole name, which no short form can look like.
      if (safe.length > 2 && safe.includes('%~')) return /%~[0-9a-f]{64}$/.test(safe);
      return decode(safe) === name;
    }),
    { numRuns: 100_000 },
  );
});

test('long names that differ at their very end keep apart', () => {
  const names = Array.from({ length: 500 }, (_, index) => 'x'.repeat(400) + index);
  expect(new Set(names.map(safeName)).size).toBe(500);
});

test('no two device and domain pairs share a path, and none leaves the folder of its device', () => {
  const target = fc.oneof(
    fc.constant({ kind: 'secure-backup' } as const),
    fc.constant({ kind: 'all-domains' } as const),
    anyName.map((domain) => ({ kind: 'domain', domain }) as const),
  );
  const pair = fc.tuple(anyName, target);
  fc.assert(
    fc.property(pair, pair, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      const [a, b] = [folderOf(...one), folderOf(...other)];
      const isInside = a[0] === safeName(one[0]) && a.every((segment) => /^[^./][^/]*$/.test(segment));
      return isInside && (a.join('/') === b.join('/')) === isSame;
    }),
    { numRuns: 30_000 },
  );
});

test('the file of a domain with the longest name still fits into 255 bytes', () => {
  const name = exportFileName({ kind: 'domain', domain: 'x'.repeat(200) }, '2017-06-26-22-48-00-000', false);
  expect(name.endsWith('-export-2017-06-26-22-48-00-000-nonpersisted.zip')).toBe(true);
  expect(name.length).toBeLessThanOrEqual(255);
});

test('the folders are those of the operator manual', () => {
  expect(folderOf('QA1', { kind: 'secure-backup' })).toEqual(['QA1', 'secure-backup']);
  expect(folderOf('QA1', { kind: 'domain', domain: 'A' })).toEqual(['QA1', 'domain', 'A']);
  expect(folderOf('QA1', { kind: 'all-domains' })).toEqual(['QA1', 'domain', 'all-domains']);
  expect(folderOf('QA1', { kind: 'domain', domain: 'all-domains' })).toEqual([
    'QA1',
    'domain',
    '%61ll-domains',
  ]);
});
