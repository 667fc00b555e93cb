import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceDescriptionInput, FaultOrderInput } from '../../packages/simulator/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const exportOf = (devices: string, domains: string): PlanInput => ({
  activities: [{ exportDomain: { devices, domains, quiesce: true } }],
});

function connect(name: string, domains: DeviceDescriptionInput['domains']): Promise<PretendFleet> {
  return stillpoint.connectFleet([{ name, domains }]);
}

/** What the device handed over is, byte for byte, what lies in the store under the name of that part. */
function expectServedBytesStored(fleet: PretendFleet, device: string): void {
  const served = fleet.requests(device).filter(({ operation }) => operation === 'do-backup');
  expect(stillpoint.store.files(device)).toHaveLength(served.length);
  for (const { persisted, servedSha256 } of served) {
    const suffix = persisted === true ? '-persisted.zip' : '-nonpersisted.zip';
    const file = stillpoint.store.files(device).find((path) => path.endsWith(suffix)) ?? '';
    expect(stillpoint.store.sha256(file)).toBe(servedSha256);
  }
}

describe('row 4 of the task table: unsaved changes', () => {
  it('a domain without any is exported once, persisted', async () => {
    const fleet = await connect('saved-1', [{ name: 'A' }, { name: 'B', saveNeeded: true }]);
    const { lines } = await stillpoint.runPlan(exportOf('saved-1', 'A'));
    expect(lines).toEqual(['saved-1/A SUCCEEDED']);
    expect(fleet.sentTo('saved-1')).toEqual([
      'DomainQuiesce A',
      'do-backup A persisted',
      'DomainUnquiesce A',
    ]);
    expect(stillpoint.store.filesUntimed('saved-1')).toEqual([
      'saved-1/domain/A/A-export-TIME-persisted.zip',
    ]);
    expectServedBytesStored(fleet, 'saved-1');
  });

  it('a domain with some is exported twice, persisted and not, under one time stamp', async () => {
    const fleet = await connect('saved-2', [{ name: 'A', saveNeeded: true }]);
    const { tasks, lines } = await stillpoint.runPlan(exportOf('saved-2', 'A'));
    expect(lines).toEqual(['saved-2/A SUCCEEDED']);
    const exports = ['do-backup A persisted', 'do-backup A nonpersisted'];
    expect(fleet.sentTo('saved-2')).toEqual(['DomainQuiesce A', ...exports, 'DomainUnquiesce A']);
    const [nonpersisted = '', persisted = ''] = stillpoint.store.files('saved-2');
    expect(persisted).toMatch(/^saved-2\/domain\/A\/A-export-\d{4}(-\d{2}){5}-\d{3}-persisted\.zip$/);
    expect(nonpersisted).toBe(persisted.replace('-persisted', '-nonpersisted'));
    expect(tasks[0]?.files.map(({ path }) => path)).toEqual([nonpersisted, persisted]);
    expect((await stillpoint.backups('saved-2')).map(({ isPersisted }) => isPersisted).sort()).toEqual([
      false,
      true,
    ]);
    expectServedBytesStored(fleet, 'saved-2');
    // A backup never changes the device: what was unsaved still is.
    expect(fleet.device('saved-2').domain('A').isSaveNeeded).toBe(true);
  });

  it('one export of all domains is taken twice when any of them has some', async () => {
    const fleet = await connect('saved-3', [{ name: 'A' }, { name: 'B', saveNeeded: true }]);
    const { run, lines } = await stillpoint.runPlan(exportOf('saved-3', 'all-domains'));
    expect(lines).toEqual(['saved-3/all-domains SUCCEEDED']);
    const exports = ['do-backup all-domains persisted', 'do-backup all-domains nonpersisted'];
    expect(fleet.sentTo('saved-3')).toEqual(['QuiesceDP', ...exports, 'UnquiesceDP']);
    expect(stillpoint.store.filesUntimed('saved-3')).toEqual([
      'saved-3/domain/all-domains/all-domains-export-TIME-nonpersisted.zip',
      'saved-3/domain/all-domains/all-domains-export-TIME-persisted.zip',
    ]);
    expect(run.counters).toMatchObject({ devices: 1, domains: 0 });
    expectServedBytesStored(fleet, 'saved-3');
  });

  it('one export of all domains is taken once when none has any', async () => {
    const fleet = await connect('saved-4', [{ name: 'A' }, { name: 'B' }]);
    await stillpoint.runPlan(exportOf('saved-4', 'all-domains'));
    expect(fleet.sentTo('saved-4')).toEqual(['QuiesceDP', 'do-backup all-domains persisted', 'UnquiesceDP']);
    expect(stillpoint.store.filesUntimed('saved-4')).toEqual([
      'saved-4/domain/all-domains/all-domains-export-TIME-persisted.zip',
    ]);
  });
});

describe('row 9 of the task table: an export that is not what was asked for', () => {
  const bad: [FaultOrderInput['kind'], string, Partial<FaultOrderInput>][] = [
    ['bad-crc', 'EXPORT_BAD_CRC', {}],
    ['other-domain', 'EXPORT_WRONG_DOMAINS', {}],
    ['empty-file', 'EMPTY_FILE', {}],
    ['wrong-inner-hash', 'EXPORT_HASH_MISMATCH', {}],
    ['truncated-zip', 'EXPORT_TRUNCATED', {}],
    ['no-export-xml', 'EXPORT_WITHOUT_MANIFEST', {}],
    ['bad-base64', 'BASE64_INVALID', {}],
    ['close-after-bytes', 'CONNECTION_LOST', { bytes: 3000 }],
    ['error-log', 'ACTION_REFUSED', {}],
  ];

  it.each(bad)(
    '%s fails the task with %s; the domain is set moving, nothing is published',
    async (kind, code, more) => {
      const fleet = await connect(kind, [{ name: 'A' }, { name: 'B' }]);
      fleet.device(kind).orderFault({ kind, operation: 'do-backup', ...more } as FaultOrderInput);
      const { tasks, lines } = await stillpoint.runPlan(exportOf(kind, 'A'));
      expect(lines).toEqual([`${kind}/A FAILED ${code}`]);
      expect(tasks[0]?.files).toEqual([]);
      expect(fleet.sentTo(kind)).toEqual(['DomainQuiesce A', 'do-backup A persisted', 'DomainUnquiesce A']);
      expect(fleet.device(kind).domain('A').phase).toBe('normal');
      expect(await stillpoint.guards()).toEqual([]);
      await expectNothingStored(kind);
    },
  );

  it('the second of two fails the task, and the first is not published either', async () => {
    const fleet = await connect('second', [{ name: 'A', saveNeeded: true }]);
    fleet.device('second').orderFault({ kind: 'bad-crc', skip: 1 });
    const { lines } = await stillpoint.runPlan(exportOf('second', 'A'));
    expect(lines).toEqual(['second/A FAILED EXPORT_BAD_CRC']);
    const exports = ['do-backup A persisted', 'do-backup A nonpersisted'];
    expect(fleet.sentTo('second')).toEqual(['DomainQuiesce A', ...exports, 'DomainUnquiesce A']);
    await expectNothingStored('second');
  });

  it('one of all domains that lacks a domain of the device', async () => {
    const fleet = await connect('lacking', [{ name: 'A' }, { name: 'B' }]);
    fleet.device('lacking').orderFault({ kind: 'other-domain' });
    const { lines } = await stillpoint.runPlan(exportOf('lacking', 'all-domains'));
    expect(lines).toEqual(['lacking/all-domains FAILED EXPORT_WRONG_DOMAINS']);
    expect(fleet.sentTo('lacking')).toEqual(['QuiesceDP', 'do-backup all-domains persisted', 'UnquiesceDP']);
    await expectNothingStored('lacking');
  });

  it('a wrong hash is no fault when verify.exportHashes is off', async () => {
    await stillpoint.setParameters({ 'verify.exportHashes': false });
    const fleet = await connect('unhashed', [{ name: 'A' }]);
    fleet.device('unhashed').orderFault({ kind: 'wrong-inner-hash' });
    const { lines } = await stillpoint.runPlan(exportOf('unhashed', 'A'));
    expect(lines).toEqual(['unhashed/A SUCCEEDED']);
  });

  async function expectNothingStored(device: string): Promise<void> {
    expect(stillpoint.store.files(device)).toEqual([]);
    expect(stillpoint.store.leftovers()).toEqual([]);
    expect(await stillpoint.backups(device)).toEqual([]);
  }
});

describe('the default domain', () => {
  it('is exported without being quiesced, with a warning', async () => {
    const fleet = await connect('default-1', [{ name: 'A' }]);
    const { tasks, lines } = await stillpoint.runPlan(exportOf('default-1', 'default'));
    expect(lines).toEqual(['default-1/default SUCCEEDED']);
    expect(tasks[0]?.warnings).toEqual([
      'The domain default of default-1 cannot be quiesced; its export was taken while it ran.',
    ]);
    expect(fleet.sentTo('default-1')).toEqual(['do-backup default persisted']);
    expect(stillpoint.store.filesUntimed('default-1')).toEqual([
      'default-1/domain/default/default-export-TIME-persisted.zip',
    ]);
  });
});
