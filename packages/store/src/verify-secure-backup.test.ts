import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBackupManifest } from './read-backup-manifest.ts';
import { codeOf, must } from './testing/temporary-store.ts';
import { verifySecureBackup } from './verify-secure-backup.ts';

const anyDevice = { expectedSerialNumber: null };
const content = { 'root.tgz': 'root root', 'config.tgz': 'config', 'local.tgz': '' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-secure-'));
  for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function listed(name: string, text: string, algorithm = 'sha1'): string {
  const checksum = createHash(algorithm).update(text).digest('hex');
  const size = Buffer.byteLength(text);
  return `<file><filename>${name}</filename><checksum>${checksum}</checksum><filesize>${size}</filesize></file>`;
}

function manifestOf(files: string, tail = '<file><filename>backupmanifest.xml</filename></file>'): string {
  return `<SecureBackupManifest>
<backupmanifest>
<version>IDG.10.5.0.2</version><time>2023-05-05T18:19:41Z</time>
<build>345566</build><mtm>5725T09C</mtm><serialnumber>0000001</serialnumber>
<cryptoCertificate>dr-cert<FileName>cert:///dr-cert.pem</FileName></cryptoCertificate>
<files>${files}${tail}</files>
</backupmanifest>
<signature>AAAA</signature>
</SecureBackupManifest>`.replaceAll('\n', '\r\n');
}

const goodFiles = Object.entries(content)
  .map(([name, text]) => listed(name, text))
  .join('\r\n');

async function verify(manifest: string, expectation: { expectedSerialNumber: string | null } = anyDevice) {
  await writeFile(join(folder, 'backupmanifest.xml'), manifest);
  return verifySecureBackup(folder, expectation);
}

test('a secure backup that matches its manifest passes, with what the manifest says of the appliance', async () => {
  const manifest = must(await verify(manifestOf(goodFiles)));
  expect(manifest).toMatchObject({
    firmwareVersion: 'IDG.10.5.0.2',
    firmwareBuild: '345566',
    serialNumber: '0000001',
    machineType: '5725T09C',
    writtenAt: '2023-05-05T18:19:41Z',
  });
  expect(manifest.files.map((file) => [file.name, file.sizeBytes])).toEqual([
    ['root.tgz', 9],
    ['config.tgz', 6],
    ['local.tgz', 0],
  ]);
});

test('a checksum of 128 digits is SHA-512, of 40 SHA-1, in either case', async () => {
  const files = Object.entries(content).map(([name, text]) =>
    listed(name, text, 'sha512').replace(/[a-f]/g, 'A'),
  );
  expect(codeOf(await verify(manifestOf(files.join(''))))).not.toBe('ok');
  const good = Object.entries(content).map(([name, text]) => listed(name, text, 'sha512'));
  const upper = good.map((file) => file.replace(/[0-9a-f]{128}/, (hex) => hex.toUpperCase()));
  expect(codeOf(await verify(manifestOf(upper.join(''))))).toBe('ok');
});

test.each([
  ['BACKUP_MANIFEST_EMPTY', ''],
  ['BACKUP_FILE_MISSING', goodFiles + listed('cert.tgz', 'x')],
  ['BACKUP_SIZE_MISMATCH', goodFiles.replace('<filesize>9<', '<filesize>8<')],
  [
    'BACKUP_HASH_MISMATCH',
    goodFiles.replace(/<checksum>./, (start) => start.slice(0, -1) + (start.endsWith('0') ? '1' : '0')),
  ],
  ['BACKUP_UNKNOWN_ALGORITHM', goodFiles.replace(/<checksum>[0-9a-f]{40}/, `<checksum>${'a'.repeat(64)}`)],
  ['BACKUP_UNKNOWN_ALGORITHM', goodFiles.replace(/<checksum>[0-9a-f]{40}<\/checksum>/, '')],
  ['BACKUP_UNKNOWN_ALGORITHM', goodFiles.replace(/<checksum>[0-9a-f]{40}/, `<checksum>${'z'.repeat(40)}`)],
  ['BACKUP_EXTRA_FILE', listed('root.tgz', content['root.tgz'])],
  ['BACKUP_MANIFEST_UNREADABLE', goodFiles + listed('root.tgz', content['root.tgz'])],
  ['BACKUP_MANIFEST_UNREADABLE', goodFiles.replace('<filesize>9<', '<filesize>-9<')],
  ['BACKUP_UNSAFE_NAME', goodFiles + listed('../evil', 'x')],
  ['BACKUP_UNSAFE_NAME', goodFiles + listed('.hidden', 'x')],
  ['BACKUP_UNSAFE_NAME', goodFiles + listed('a/b', 'x')],
  ['BACKUP_UNSAFE_NAME', goodFiles + listed('', 'x')],
])('%s is told of a manifest like %#', async (code, files) => {
  expect(codeOf(await verify(manifestOf(files)))).toBe(code);
});

test.each(['', '<html/>', 'not xml', '<SecureBackupManifest>', '<!DOCTYPE x><SecureBackupManifest/>'])(
  'a manifest that reads %j is unreadable',
  async (text) => {
    expect(codeOf(await verify(text))).toBe('BACKUP_MANIFEST_UNREADABLE');
  },
);

test('a manifest of more than 4 MiB is not even read', async () => {
  expect(codeOf(await verify(' '.repeat(4 * 1024 * 1024 + 1)))).toBe('BACKUP_MANIFEST_UNREADABLE');
});

test('without a manifest nothing is a secure backup', async () => {
  expect(codeOf(await verifySecureBackup(folder, anyDevice))).toBe('BACKUP_MANIFEST_MISSING');
});

test('the secure backup of another appliance is refused', async () => {
  const reply = await verify(manifestOf(goodFiles), { expectedSerialNumber: '0000002' });
  expect(codeOf(reply)).toBe('BACKUP_OF_ANOTHER_DEVICE');
});

test('the list can be read before anything is stored', () => {
  const reply = must(readBackupManifest(Buffer.from(manifestOf(goodFiles))));
  expect(reply.files).toHaveLength(3);
  expect(codeOf(readBackupManifest(Buffer.from('')))).toBe('BACKUP_MANIFEST_UNREADABLE');
});

test('whatever bytes a manifest is made of, reading it answers a list of plain names or a fault', () => {
  const whole = Buffer.from(manifestOf(goodFiles));
  const piece = fc.constantFrom(
    '<file>',
    '</file>',
    '<filename>../x</filename>',
    '&lt;',
    '<!DOCTYPE',
    '<![CDATA[',
    '\0',
  );
  const edit = fc.record({ at: fc.nat(whole.length), drop: fc.nat(40), put: fc.oneof(piece, fc.string()) });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let bytes = whole;
      for (const { at, drop, put } of edits) {
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + drop)]);
      }
      const reply = readBackupManifest(bytes);
      return !reply.ok || reply.value.files.every((file) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(file.name));
    }),
    { numRuns: 5000 },
  );
});
