import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceDescriptionInput, FaultOrderInput } from '../../packages/simulator/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const files = ['cert.tgz', 'config.tgz', 'local.tgz', 'password-map.tgz', 'root.tgz', 'sharedcert.tgz'];
const taskFolder = 'temporary:///TASK';

const secureBackupOf = (devices: string): PlanInput => ({
  activities: [{ secureBackup: { devices, certificate: 'dr-cert', quiesce: true } }],
});

function connect(name: string, more: Partial<DeviceDescriptionInput> = {}): Promise<PretendFleet> {
  return stillpoint.connectFleet([{ name, domains: [{ name: 'A' }], ...more }]);
}

/** The device was quiesced once and set moving once, and nothing of the task is left on it. */
function expectDeviceAsBefore(fleet: PretendFleet, device: string): void {
  const sent = fleet.sentTo(device);
  expect(sent.filter((text) => text === 'QuiesceDP')).toHaveLength(1);
  expect(sent.filter((text) => text === 'UnquiesceDP')).toHaveLength(1);
  expect(sent).not.toContain('SaveConfig');
  const { domains, temporaryFiles } = fleet.device(device).view();
  expect(domains.map(({ phase }) => phase)).toEqual(['normal', 'normal']);
  expect(temporaryFiles).toEqual([]);
}

describe('a secure backup', () => {
  it.each([
    ['plain', {}],
    ['async', { secureBackup: { isAsync: true, durationMs: 1500, checksum: 'sha512' as const } }],
  ])(
    'is written, fetched, compared, removed from the device and published as one folder (%s)',
    async (device, more) => {
      const fleet = await connect(device, more);
      const { tasks, lines } = await stillpoint.runPlan(secureBackupOf(device));
      expect(lines).toEqual([`${device} SUCCEEDED`]);
      const names = ['backupmanifest.xml', ...files];
      expect(stillpoint.store.filesUntimed(device)).toEqual(
        names.map((name) => `${device}/secure-backup/TIME/${name}`),
      );
      expect(tasks[0]?.files).toHaveLength(names.length);
      const sent = fleet.sentTo(device);
      expect(sent.slice(0, 4)).toEqual([
        'QuiesceDP',
        `CreateDir ${taskFolder}`,
        `SecureBackup ${taskFolder}`,
        `get-file ${taskFolder}/backupmanifest.xml`,
      ]);
      expect(sent.slice(4, -2).sort()).toEqual(files.map((name) => `get-file ${taskFolder}/${name}`));
      expect(sent.slice(-2).sort()).toEqual([`RemoveDir ${taskFolder}`, 'UnquiesceDP']);
      expectDeviceAsBefore(fleet, device);
      const served = fleet.requests(device).filter(({ operation }) => operation === 'get-file');
      for (const { name = '', servedSha256 } of served) {
        const path = stillpoint.store
          .files(device)
          .find((file) => file.endsWith(name.slice(name.lastIndexOf('/'))));
        expect(stillpoint.store.sha256(path ?? '')).toBe(servedSha256);
      }
    },
  );
});

describe('row 9 of the task table: a secure backup that does not match its manifest', () => {
  it.each<[FaultOrderInput['kind'], string]>([
    ['manifest-empty', 'BACKUP_MANIFEST_EMPTY'],
    ['manifest-extra', 'BACKUP_FILE_MISSING'],
    ['manifest-wrong-hash', 'BACKUP_HASH_MISMATCH'],
    ['manifest-wrong-size', 'BACKUP_SIZE_MISMATCH'],
    ['manifest-unknown-algorithm', 'BACKUP_UNKNOWN_ALGORITHM'],
  ])('%s fails the task with %s, and the device is as it was', async (kind, code) => {
    const fleet = await connect(kind);
    fleet.device(kind).orderFault({ kind } as FaultOrderInput);
    await expectFailure(fleet, kind, code);
  });

  it('a device that stops writing without a manifest is not kept quiesced to wait for one', async () => {
    const fleet = await connect('manifest-missing');
    fleet.device('manifest-missing').orderFault({ kind: 'manifest-missing' });
    const listed = fleet.answerOf('get-filestore', 'manifest-missing');
    const ended = expectFailure(fleet, 'manifest-missing', 'BACKUP_MANIFEST_MISSING');
    await listed;
    // The first look at the directory has been judged when the second comes.
    await fleet.answerOf('get-filestore', 'manifest-missing');
    await stillpoint.letPass(2 * 60_000);
    await ended;
  });

  it('a file of it that comes damaged fails the task', async () => {
    const fleet = await connect('damaged');
    // The manifest comes first.
    fleet.device('damaged').orderFault({ kind: 'empty-file', operation: 'get-file', skip: 2 });
    await expectFailure(fleet, 'damaged', 'EMPTY_FILE');
  });

  it('a device that refuses to make it fails the task', async () => {
    const fleet = await connect('refused');
    fleet
      .device('refused')
      .orderFault({ kind: 'text', text: 'Error creating secure backup.', operation: 'SecureBackup' });
    await expectFailure(fleet, 'refused', 'OPERATION_FAILED');
  });

  async function expectFailure(fleet: PretendFleet, device: string, code: string): Promise<void> {
    const { tasks, lines } = await stillpoint.runPlan(secureBackupOf(device));
    expect(lines).toEqual([`${device} FAILED ${code}`]);
    expect(tasks[0]?.warnings).toEqual([]);
    expect(tasks[0]?.files).toEqual([]);
    expectDeviceAsBefore(fleet, device);
    expect(stillpoint.store.files(device)).toEqual([]);
    expect(stillpoint.store.leftovers()).toEqual([]);
    expect(await stillpoint.backups(device)).toEqual([]);
    expect(await stillpoint.guards()).toEqual([]);
  }
});
