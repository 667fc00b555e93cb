import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceAddress } from '../fleet/device-handle.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { callAction, callOperation, fileIn, textsOf } from '../testing/call-device.ts';
import { readZip, type UnpackedFile, unpackedText } from '../testing/read-zip.ts';

let fleet: Fleet;
let device: DeviceAddress;

beforeAll(async () => {
  fleet = await startFleet({
    devices: [
      {
        name: 'dp1',
        base64: { lineWidth: 76 },
        domains: [
          { name: 'A', saveNeeded: true, files: 3, sizeBytes: 200_000 },
          { name: 'B', files: 0, sizeBytes: 0 },
          { name: 'large', files: 2, sizeBytes: 3_000_000 },
        ],
      },
      { name: 'full', freeTemporaryMb: 0, domains: [{ name: 'A' }] },
    ],
  });
  device = fleet.device('dp1').address;
});
afterAll(() => fleet.stop());

async function backUp(domains: readonly string[], attributes = 'persisted="false"'): Promise<Buffer> {
  const names = domains.map((name) => `<dp:domain name="${name}"/>`).join('');
  const operation = `<dp:do-backup format="ZIP" ${attributes}><dp:user-comment>nightly &amp; more</dp:user-comment>${names}</dp:do-backup>`;
  const { text } = await callOperation(device, operation);
  expect(text).toContain('</dp:timestamp><dp:file>');
  return fileIn(text);
}

function expectHashesToMatch(files: ReadonlyMap<string, UnpackedFile>): number {
  const listed = [
    ...unpackedText(files, 'export.xml').matchAll(/<file [^>]*src="([^"]*)"[^>]* hash="([^"]*)"/g),
  ];
  for (const [, src = '', hash] of listed) {
    const bytes = files.get(src)?.bytes ?? Buffer.alloc(0);
    expect([src, createHash('sha1').update(bytes).digest('base64')]).toEqual([src, hash]);
  }
  return listed.length;
}

describe('an export', () => {
  test('nests one package per domain and lists what it holds with true hashes', async () => {
    const outer = await readZip(await backUp(['A', 'default']));
    expect([...outer.keys()].filter((path) => !path.startsWith('dp-aux/'))).toEqual([
      'A.zip',
      'default.zip',
      'export.xml',
    ]);
    const manifest = unpackedText(outer, 'export.xml');
    expect(manifest).toContain('<domains><domain name="A"/><domain name="default"/></domains>');
    expect(manifest).toContain('<comment>nightly &amp; more</comment>');
    expect(manifest).toContain('<device-name>dp1</device-name><serial-number>0000001</serial-number>');
    const inner = await readZip(outer.get('A.zip')?.bytes ?? Buffer.alloc(0));
    expect([...inner.keys()]).toEqual([
      'config/A.cfg',
      'local/file-0001.bin',
      'local/file-0002.bin',
      'local/file-0003.bin',
      'dp-aux/SchemaUtil.xsl',
      'export.xml',
    ]);
    expect(unpackedText(inner, 'export.xml')).toContain('<configuration domain="A">');
    expect(expectHashesToMatch(inner)).toBe(5);
    expect([...outer.values(), ...inner.values()].every(({ isCrcRight }) => isCrcRight)).toBe(true);
    const innerDefault = await readZip(outer.get('default.zip')?.bytes ?? Buffer.alloc(0));
    expect([...innerDefault.keys()]).toContain('config/auto-startup.cfg');
  });

  test('of the running configuration differs from the saved one until it is saved', async () => {
    const configOf = async (isPersisted: boolean): Promise<string> => {
      const outer = await readZip(await backUp(['A'], `persisted="${isPersisted}"`));
      return unpackedText(await readZip(outer.get('A.zip')?.bytes ?? Buffer.alloc(0)), 'config/A.cfg');
    };
    expect(await configOf(true)).not.toBe(await configOf(false));
    await callAction(device, '<SaveConfig/>', 'A');
    expect(await configOf(true)).toBe(await configOf(false));
  });

  test('of all-domains holds every domain', async () => {
    const outer = await readZip(await backUp(['all-domains']));
    const packages = [...outer.keys()].filter((path) => path.endsWith('.zip'));
    expect(packages).toEqual(['default.zip', 'A.zip', 'B.zip', 'large.zip']);
  });

  test('puts up with empty and repeated domain names', async () => {
    const outer = await readZip(await backUp(['default', '', 'A', '', 'A']));
    expect([...outer.keys()].filter((path) => path.endsWith('.zip'))).toEqual(['default.zip', 'A.zip']);
  });

  test('holds the files that were put into local:', async () => {
    await callOperation(
      device,
      `<dp:set-file name="local:///new.txt">${Buffer.from('hello').toString('base64')}</dp:set-file>`,
      'B',
    );
    const outer = await readZip(await backUp(['B']));
    const inner = await readZip(outer.get('B.zip')?.bytes ?? Buffer.alloc(0));
    expect(unpackedText(inner, 'local/new.txt')).toBe('hello');
    expectHashesToMatch(inner);
  });

  test('that is large is served again without being built again, until something changes', async () => {
    const first = await backUp(['large']);
    expect((await backUp(['large'])).equals(first)).toBe(true);
    expect([...(await readZip(first)).values()].every(({ isCrcRight }) => isCrcRight)).toBe(true);
    fleet.device('dp1').change({ domains: [{ name: 'large', saveNeeded: true }] });
    expect((await backUp(['large'])).equals(first)).toBe(false);
  });

  test('as XML is one document', async () => {
    const { text } = await callOperation(
      device,
      '<dp:do-backup format="XML"><dp:domain name="A"/></dp:do-backup>',
    );
    expect(fileIn(text).toString()).toMatch(
      /^<datapower-configuration version="3">.*<XMLManager name="xml-manager-1">/,
    );
  });

  test('is wrapped as the appliance wraps it', async () => {
    const { text } = await callOperation(
      device,
      '<dp:do-backup format="ZIP"><dp:domain name="A"/></dp:do-backup>',
    );
    const lines = (/<dp:file>([^<]*)</.exec(text)?.[1] ?? '').split('\n');
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.slice(0, -1).every((line) => line.length === 76)).toBe(true);
  });

  test('is refused for unknown domains, and across domains', async () => {
    const unknown = await callOperation(
      device,
      '<dp:do-backup format="ZIP"><dp:domain name="Z"/></dp:do-backup>',
    );
    expect(unknown.text).toContain('Domain &apos;Z&apos; does not exist.');
    const foreign = await callOperation(
      device,
      '<dp:do-backup format="ZIP"><dp:domain name="B"/></dp:do-backup>',
      'A',
    );
    expect(textsOf(foreign.text, 'dp:result')).toEqual(['Authentication failure']);
  });

  test('for which there is no room is an empty file', async () => {
    const { text } = await callOperation(
      fleet.device('full').address,
      '<dp:do-backup format="ZIP"><dp:domain name="A"/></dp:do-backup>',
    );
    expect(text).toContain('<dp:file/>');
  });

  test('is logged with the size and hash of what was handed over', async () => {
    const zip = await backUp(['A'], 'persisted="true"');
    expect(fleet.log.at(-1)).toMatchObject({
      device: 'dp1',
      operation: 'do-backup',
      domain: 'A',
      persisted: true,
      outcome: 'ok',
      servedBytes: zip.length,
      servedSha256: createHash('sha256').update(zip).digest('hex'),
    });
  });
});
