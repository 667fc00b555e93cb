import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fleet } from '../fleet/fleet.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { callAction, callOperation, fileIn, textsOf } from '../testing/call-device.ts';

let fleet: Fleet;
let now = Date.parse('2023-05-05T18:19:41Z');

beforeAll(async () => {
  const certificates = [{ name: 'dr-cert' }, { name: 'expired', opState: 'down' as const }];
  fleet = await startFleet(
    {
      defaults: { certificates },
      devices: [
        { name: 'sync' },
        {
          name: 'async',
          secureBackup: { isAsync: true, durationMs: 70_000, checksum: 'sha512', sizeBytes: 4096 },
        },
        { name: 'normal', backupMode: 'normal' },
        { name: 'small', freeTemporaryMb: 1, secureBackup: { sizeBytes: 1024 * 1024 } },
      ],
    },
    { now: () => now },
  );
});
afterAll(() => fleet.stop());

const secureBackup = async (
  device: string,
  destination: string,
  certificate = 'dr-cert',
): Promise<string[]> => {
  const fields = `<cert>${certificate}</cert><destination>${destination}</destination><include-iscsi>off</include-iscsi>`;
  const { text } = await callAction(fleet.device(device).address, `<SecureBackup>${fields}</SecureBackup>`);
  return textsOf(text, 'dp:result');
};
const getFile = async (device: string, name: string): Promise<string> =>
  (await callOperation(fleet.device(device).address, `<dp:get-file name="${name}"/>`)).text;
const FAILED = ['Error creating secure backup.'];

async function expectManifestToMatch(device: string, folder: string, algorithm: string): Promise<void> {
  const manifest = fileIn(await getFile(device, `${folder}/backupmanifest.xml`)).toString();
  expect(manifest.startsWith('<SecureBackupManifest>\r\n')).toBe(true);
  expect(manifest.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  const names = textsOf(manifest, 'filename');
  expect(names.at(-1)).toBe('backupmanifest.xml');
  for (const [at, name] of names.slice(0, -1).entries()) {
    const bytes = fileIn(await getFile(device, `${folder}/${name}`));
    expect(textsOf(manifest, 'filesize')[at]).toBe(String(bytes.length));
    expect(textsOf(manifest, 'checksum')[at]).toBe(createHash(algorithm).update(bytes).digest('hex'));
  }
  expect(names).toHaveLength(7);
}

describe('a secure backup', () => {
  test.each(['temporary:///one', 'temporary:/two/', 'temporary://three'])(
    'is written to %s, with a true manifest',
    async (destination) => {
      expect(await secureBackup('sync', destination)).toEqual(['OK']);
      await expectManifestToMatch('sync', destination.replace(/\/$/, ''), 'sha1');
    },
  );

  test('is written into a directory that is there already', async () => {
    await callAction(fleet.device('sync').address, '<CreateDir><Dir>temporary:/made</Dir></CreateDir>');
    expect(await secureBackup('sync', 'temporary:///made')).toEqual(['OK']);
    expect(fleet.device('sync').view().temporaryFiles).toContain('made/backupmanifest.xml');
  });

  test('that goes on in the background shows its files one by one, the manifest last', async () => {
    expect(await secureBackup('async', 'temporary:///sb')).toEqual(['OK']);
    const listed = async (): Promise<number> =>
      textsOf(
        (await callOperation(fleet.device('async').address, '<dp:get-filestore location="temporary:"/>'))
          .text,
        'size',
      ).length;
    expect(fleet.device('async').domain('default').currentCommand).toBe('secure-backup');
    expect(await listed()).toBe(0);
    now += 35_000;
    expect(await listed()).toBe(3);
    expect(await getFile('async', 'temporary:///sb/backupmanifest.xml')).toContain(
      'Cannot read the specified file',
    );
    expect(await secureBackup('async', 'temporary:///sb2')).toEqual(FAILED);
    now += 35_000;
    expect(fleet.device('async').domain('default').currentCommand).toBe('');
    await expectManifestToMatch('async', 'temporary:/sb', 'sha512');
  });

  test('fails with one text, whatever the cause', async () => {
    expect(await secureBackup('normal', 'temporary:///sb')).toEqual(FAILED);
    expect(await secureBackup('sync', 'temporary:///x', 'nobody')).toEqual(FAILED);
    expect(await secureBackup('sync', 'temporary:///x', 'expired')).toEqual(FAILED);
    expect(await secureBackup('sync', 'image:///x')).toEqual(FAILED);
    expect(await secureBackup('sync', 'temporary:///../x')).toEqual(FAILED);
    expect(await secureBackup('small', 'temporary:///sb')).toEqual(FAILED);
    expect(fleet.device('small').view().temporaryFiles).toEqual([]);
  });

  test('takes up room until its directory is removed', async () => {
    const { address } = fleet.device('async');
    const free = async (): Promise<string[]> =>
      textsOf(
        (await callOperation(address, '<dp:get-status class="FilesystemStatus"/>')).text,
        'FreeTemporary',
      );
    expect(await free()).toEqual(['16383']);
    const removed = await callAction(address, '<RemoveDir><Dir>temporary:/sb</Dir></RemoveDir>');
    expect(textsOf(removed.text, 'dp:result')).toEqual(['OK']);
    expect(await free()).toEqual(['16384']);
  });
});
