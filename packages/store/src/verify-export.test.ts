import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildExport, buildPackage, buildZip, outerManifest } from './testing/build-export.ts';
import { codeOf, must } from './testing/temporary-store.ts';
import { defaultExportLimits, type ExportExpectation, verifyExport } from './verify-export.ts';

const askedForA: ExportExpectation = { domains: ['A'], verifiesHashes: true, expectedSerialNumber: null };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-verify-'));
});

afterEach(async () => {
  expect(await readdir(folder)).toEqual(['export.zip']);
  await rm(folder, { recursive: true });
});

async function verify(content: Buffer | string, expectation: Partial<ExportExpectation> = {}) {
  await writeFile(join(folder, 'export.zip'), content);
  return verifyExport(join(folder, 'export.zip'), { ...askedForA, ...expectation });
}

test.each([true, false])('a good export passes, its nested package stored: %s', async (isStored) => {
  const verified = must(await verify(await buildExport([{ domain: 'A' }], { isStored })));
  expect(verified.domains).toEqual(['A']);
  expect(verified.checkedHashes).toBe(1);
  expect(verified.writtenBy).toEqual({
    deviceName: 'dp1',
    serialNumber: '0000001',
    model: 'IBM DataPower Gateway',
    firmwareVersion: 'IDG.10.5.0.2',
    firmwareBuild: '345566',
  });
});

test('an export of all domains passes when it names what the device showed', async () => {
  const content = await buildExport([{ domain: 'default' }, { domain: 'B' }, { domain: 'A' }]);
  const check = async (allDomains: string[] | null) =>
    codeOf(await verify(content, { domains: { allDomains } }));
  expect(await check(null)).toBe('ok');
  expect(await check(['A', 'B', 'default'])).toBe('ok');
  expect(await check(['A', 'default'])).toBe('EXPORT_WRONG_DOMAINS');
  expect(await check(['A', 'B', 'C', 'default'])).toBe('EXPORT_WRONG_DOMAINS');
});

test('an export of all domains that names none is not one', async () => {
  expect(codeOf(await verify(await buildExport([]), { domains: { allDomains: null } }))).toBe(
    'EXPORT_WRONG_DOMAINS',
  );
  expect(codeOf(await verify(await buildExport([]), { domains: { allDomains: [] } }))).toBe(
    'EXPORT_WRONG_DOMAINS',
  );
});

test('what is not an archive has a code of its own', async () => {
  expect(codeOf(await verify(''))).toBe('EXPORT_EMPTY');
  expect(codeOf(await verify('<html>login</html>'))).toBe('EXPORT_NOT_A_ZIP');
  expect(codeOf(await verify('PK'))).toBe('EXPORT_NOT_A_ZIP');
  expect(codeOf(await verify(await buildZip([])))).toBe('EXPORT_WITHOUT_MANIFEST');
});

test('an export cut off anywhere is never good', async () => {
  const content = await buildExport([{ domain: 'A' }]);
  const codes = new Set<string>();
  for (let length = 4; length < content.length; length += 7) {
    codes.add(codeOf(await verify(content.subarray(0, length))));
  }
  expect(codes).toEqual(new Set(['EXPORT_TRUNCATED']));
});

test.each([true, false])('a flipped byte in a file is found by its CRC, stored: %s', async (isStored) => {
  const text = 'a line of the configuration\n'.repeat(3);
  const content = await buildZip([
    { name: 'A.zip', content: await buildPackage({ domain: 'A' }), isStored: true },
    { name: 'export.xml', content: outerManifest(['A']) },
    { name: 'dp-aux/x', content: text, isStored },
  ]);
  const at = content.indexOf('dp-aux/x') + 'dp-aux/x'.length + (isStored ? 10 : 2);
  content[at] = (content[at] ?? 0) ^ 1;
  expect(['EXPORT_BAD_CRC', 'EXPORT_DAMAGED']).toContain(codeOf(await verify(content)));
});

test('a flipped byte anywhere in a stored package of large files is found by the CRC of the package', async () => {
  const files = { 'local/a': 'a'.repeat(150_000), 'local/b': 'b'.repeat(70_000), 'local/c': 'c' };
  const listed = Object.entries(files).map(([name, text]) => ({ name, content: text, isStored: true }));
  const manifest = { name: 'export.xml', content: '<datapower-configuration/>' };
  const inner = await buildZip([...listed, manifest]);
  const outer = { name: 'export.xml', content: outerManifest(['A']) };
  const content = await buildZip([{ name: 'A.zip', content: inner, isStored: true }, outer]);
  expect(codeOf(await verify(content))).toBe('ok');
  const start = content.indexOf(inner);
  for (let at = start; at < start + inner.length; at += at % 1000 < 600 ? 1999 : 17) {
    const damaged = Buffer.from(content);
    damaged[at] = (damaged[at] ?? 0) ^ 0x20;
    expect(codeOf(await verify(damaged)), `at ${at - start}`).toBe('EXPORT_BAD_CRC');
  }
  const headers = [...listed, manifest].map(({ name }) => start + inner.indexOf(name));
  for (const at of [...headers, start + inner.length - 30]) {
    const damaged = Buffer.from(content);
    damaged[at] = (damaged[at] ?? 0) ^ 0x20;
    expect(codeOf(await verify(damaged)), `at ${at - start}`).toBe('EXPORT_BAD_CRC');
  }
});

test('whatever bytes are flipped, an export that still passes is still whole', async () => {
  const content = await buildExport([
    { domain: 'A', files: { 'config/A.cfg': randomBytes(400).toString('hex') } },
  ]);
  const flip = fc.record({ at: fc.nat(content.length - 1), mask: fc.integer({ min: 1, max: 255 }) });
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
      const damaged = Buffer.from(content);
      for (const { at, mask } of flips) damaged[at] = (damaged[at] ?? 0) ^ mask;
      const reply = await verify(damaged);
      if (reply.ok) passed += 1;
      return reply.ok ? reply.value.domains.join() === 'A' && reply.value.checkedHashes === 1 : true;
    }),
    { numRuns: 200 },
  );
  // Dates, attributes and the like are not covered by any checksum.
  expect(passed).toBeLessThan(100);
});

test('an export without a manifest, outside or inside, is refused', async () => {
  const inner = await buildPackage({ domain: 'A' });
  expect(codeOf(await verify(await buildZip([{ name: 'A.zip', content: inner }])))).toBe(
    'EXPORT_WITHOUT_MANIFEST',
  );
  const bare = await buildZip([{ name: 'config/A.cfg', content: '' }]);
  const outer = { name: 'export.xml', content: outerManifest(['A']) };
  expect(codeOf(await verify(await buildZip([{ name: 'A.zip', content: bare }, outer])))).toBe(
    'EXPORT_WITHOUT_MANIFEST',
  );
});

test('an export of other domains, more domains or fewer is refused', async () => {
  expect(codeOf(await verify(await buildExport([{ domain: 'B' }])))).toBe('EXPORT_WRONG_DOMAINS');
  expect(codeOf(await verify(await buildExport([{ domain: 'A' }, { domain: 'B' }])))).toBe(
    'EXPORT_WRONG_DOMAINS',
  );
  expect(codeOf(await verify(await buildExport([{ domain: 'A' }]), { domains: ['A', 'B'] }))).toBe(
    'EXPORT_WRONG_DOMAINS',
  );
  expect(codeOf(await verify(await buildExport([{ domain: 'A', configurationDomain: 'B' }])))).toBe(
    'EXPORT_WRONG_DOMAINS',
  );
});

test('a domain that is named must be there, as a readable package', async () => {
  expect(codeOf(await verify(await buildExport([], { named: ['A'] })))).toBe('EXPORT_DOMAIN_MISSING');
  const wrap = (content: Buffer | string, isStored: boolean) =>
    buildZip([
      { name: 'A.zip', content, isStored },
      { name: 'export.xml', content: outerManifest(['A']) },
    ]);
  expect(codeOf(await verify(await wrap('', true)))).toBe('EXPORT_EMPTY');
  expect(codeOf(await verify(await wrap('text', false)))).toBe('EXPORT_NOT_A_ZIP');
  const inner = await buildPackage({ domain: 'A' });
  expect(codeOf(await verify(await wrap(inner.subarray(0, -30), false)))).toBe('EXPORT_TRUNCATED');
});

test('a wrong hash fails the export unless hashes are not to be compared', async () => {
  const content = await buildExport([{ domain: 'A', hash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }]);
  expect(codeOf(await verify(content))).toBe('EXPORT_HASH_MISMATCH');
  expect(must(await verify(content, { verifiesHashes: false })).checkedHashes).toBe(0);
});

test('a file that is listed with a hash must be there', async () => {
  const inner = await buildZip([
    {
      name: 'export.xml',
      content:
        '<datapower-configuration><files><file src="config/A.cfg" hash="x"/></files></datapower-configuration>',
    },
  ]);
  const content = await buildZip([
    { name: 'A.zip', content: inner },
    { name: 'export.xml', content: outerManifest(['A']) },
  ]);
  expect(codeOf(await verify(content))).toBe('EXPORT_FILE_MISSING');
});

test.each<[Buffer | string, string]>([
  ['<!DOCTYPE a [<!ENTITY b "c">]><datapower-configuration/>', 'a DOCTYPE'],
  ['<datapower-configuration>&b;</datapower-configuration>', 'an unknown entity'],
  ['<datapower-configuration>', 'no end'],
  ['', 'no content'],
  ['<other/>', 'another root'],
  [`${'<a>'.repeat(100_000)}`, 'bottomless nesting'],
  [Buffer.from([0x3c, 0xff, 0xfe]), 'bytes that are not UTF-8'],
])('a manifest with %#: %s is unreadable', async (manifest: Buffer | string) => {
  expect(codeOf(await verify(await buildZip([{ name: 'export.xml', content: manifest }])))).toBe(
    'EXPORT_MANIFEST_UNREADABLE',
  );
});

test('two files of one name that matters are refused', async () => {
  const extra = [{ name: 'export.xml', content: outerManifest(['A']) }];
  expect(codeOf(await verify(await buildExport([{ domain: 'A' }], { extra })))).toBe('EXPORT_DAMAGED');
});

test('a link, and a name that leads outside, are refused', async () => {
  const link = [{ name: 'local/x', content: '/etc/passwd', mode: 0o120777 }];
  expect(codeOf(await verify(await buildExport([{ domain: 'A' }], { extra: link })))).toBe(
    'EXPORT_UNSAFE_ENTRY',
  );
  const content = await buildExport([{ domain: 'A' }], { extra: [{ name: 'xx/xx/evil', content: 'x' }] });
  const slipped = Buffer.from(content.toString('latin1').replaceAll('xx/xx/evil', '../../evil'), 'latin1');
  expect(codeOf(await verify(slipped))).toBe('EXPORT_UNSAFE_ENTRY');
});

test('an export that unpacks to absurdly much is refused before it is unpacked', async () => {
  const zeros = [{ name: 'local/zeros', content: Buffer.alloc(4 * 1024 * 1024) }];
  const content = await buildExport([{ domain: 'A' }], { extra: zeros });
  const limits = { ...defaultExportLimits, ratioCountsFromBytes: 1024 * 1024 };
  expect(codeOf(await verify(content, { limits }))).toBe('EXPORT_TOO_LARGE');
  expect(codeOf(await verify(content))).toBe('ok');
  expect(codeOf(await verify(content, { limits: { ...limits, maxUnpackedBytes: 1024 } }))).toBe(
    'EXPORT_TOO_LARGE',
  );
  expect(codeOf(await verify(content, { limits: { ...limits, maxEntries: 2 } }))).toBe('EXPORT_TOO_LARGE');
  expect(codeOf(await verify(content, { limits: { ...limits, maxManifestBytes: 9 } }))).toBe(
    'EXPORT_TOO_LARGE',
  );
});

test('a bomb inside a nested package counts as well', async () => {
  const inner = await buildZip([
    { name: 'local/zeros', content: Buffer.alloc(4 * 1024 * 1024) },
    { name: 'export.xml', content: '<datapower-configuration/>' },
  ]);
  const content = await buildZip([
    { name: 'A.zip', content: inner },
    { name: 'export.xml', content: outerManifest(['A']) },
  ]);
  const limits = { ...defaultExportLimits, ratioCountsFromBytes: 1024 * 1024 };
  expect(codeOf(await verify(content, { limits }))).toBe('EXPORT_TOO_LARGE');
});

test('an entry that states less than it unpacks to is stopped at the byte too many', async () => {
  const content = await buildExport([{ domain: 'A' }], {
    extra: [{ name: 'local/z', content: Buffer.alloc(9999) }],
  });
  const size = Buffer.alloc(4);
  size.writeUInt32LE(9999);
  for (let at = content.indexOf(size); at !== -1; at = content.indexOf(size, at + 1))
    content.writeUInt32LE(10, at);
  expect(codeOf(await verify(content))).toBe('EXPORT_DAMAGED');
});

test('an export written by another appliance is refused', async () => {
  const content = await buildExport([{ domain: 'A' }]);
  expect(codeOf(await verify(content, { expectedSerialNumber: '0000001' }))).toBe('ok');
  expect(codeOf(await verify(content, { expectedSerialNumber: '0000002' }))).toBe('EXPORT_OF_ANOTHER_DEVICE');
});
