import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceChange, DeviceDescriptionInput } from '../../packages/simulator/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import type { Gate } from './testing/scripts-folder.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
  stillpoint.scripts.writeRecorder('before-task.sh');
  stillpoint.scripts.writeRecorder('after-task.sh');
});
afterAll(() => stillpoint.finish());

const scripts = { preTaskScript: 'before-task.sh', postTaskScript: 'after-task.sh' };
const exportOf = (devices: string, domains: string): PlanInput => ({
  activities: [{ exportDomain: { devices, domains, quiesce: true, ...scripts } }],
});
const secureBackupOf = (devices: string, certificate = 'dr-cert'): PlanInput => ({
  activities: [{ secureBackup: { devices, certificate, quiesce: true, ...scripts } }],
});

/** One device with the domains A and B. */
function connect(name: string, more: Partial<DeviceDescriptionInput> = {}): Promise<PretendFleet> {
  return stillpoint.connectFleet([{ name, domains: [{ name: 'A' }, { name: 'B' }], ...more }]);
}

/** Runs a plan whose only task a check must stop: the device is only looked at, no script runs, nothing is written. */
async function expectStopped(
  fleet: PretendFleet,
  device: string,
  plan: PlanInput,
  line: string,
): Promise<string> {
  const { tasks, lines } = await stillpoint.runPlan(plan);
  expect(lines).toEqual([line]);
  expectUntouched(fleet, device);
  return tasks[0]?.sentence ?? '';
}

function expectUntouched(fleet: PretendFleet, device: string): void {
  expect(fleet.sentTo(device)).toEqual([]);
  expect(stillpoint.scripts.callsOf('before-task.sh')).toEqual([]);
  expect(stillpoint.scripts.callsOf('after-task.sh')).toEqual([]);
  expect(stillpoint.store.files(device)).toEqual([]);
  expect(stillpoint.store.leftovers()).toEqual([]);
}

/** A run of which the first task, on B, is held at its gate, so that the second, on A, waits for the same device. */
async function holdBehind(
  device: string,
): Promise<{ gate: Gate; end: () => ReturnType<Stillpoint['endOf']>; waiting: { id: string } }> {
  const name = `${device}-gate.sh`;
  const gate = stillpoint.scripts.writeGate(name);
  const run = await stillpoint.startRun({
    activities: [
      { exportDomain: { devices: device, domains: 'B', preTaskScript: name } },
      { exportDomain: { devices: device, domains: 'A', quiesce: true, ...scripts } },
    ],
  });
  await gate.reached();
  const waiting = await stillpoint.taskIn(run, 'A', 'WAITING');
  return { gate, waiting, end: () => stillpoint.endOf(run) };
}

describe('row 1 of the task table: inside the window', () => {
  it('a task that starts late looks at its window itself, whoever else was to cancel it', async () => {
    const fleet = await connect('late');
    const { gate, waiting, end } = await holdBehind('late');
    const today = new Date(stillpoint.clock.now()).toISOString().slice(0, 10);
    const window = {
      timeframes: null,
      blackoutDays: [{ first: today, last: '2199-12-31' }],
      timezone: 'UTC',
    };
    await stillpoint.amendTask(waiting, 'window', window);
    gate.open();
    const { run, tasks, lines } = await end();
    expect(lines).toEqual([
      'late/B SUCCEEDED',
      'late/A CANCELLED EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW',
    ]);
    expect(tasks[1]?.sentence).toContain('The window closed before late/A started.');
    expect(tasks[1]?.startedAt).toBeNull();
    expect(run.status).toBe('PARTIAL');
    expect(fleet.sentTo('late')).toEqual(['do-backup B persisted']);
    expect(stillpoint.store.filesUntimed('late')).toEqual(['late/domain/B/B-export-TIME-persisted.zip']);
    expect(stillpoint.scripts.callsOf('after-task.sh')).toEqual([]);
  });
});

describe('row 2 of the task table: enough free space in the store', () => {
  it('a task fails when the store has less than was asked for when the run began', async () => {
    const fleet = await connect('full');
    const { gate, waiting, end } = await holdBehind('full');
    // Raising the limit of the task stands for filling the disk: more than any disk can have free.
    await stillpoint.amendTask(waiting, 'limits.minFreeStorePercent', 101);
    gate.open();
    const { tasks, lines } = await end();
    expect(lines).toEqual(['full/B SUCCEEDED', 'full/A FAILED NOT_ENOUGH_FREE_SPACE_IN_STORE']);
    expect(tasks[1]?.sentence).toMatch(/has [\d.]+ % free, less than the 101 %/);
    expect(fleet.sentTo('full')).toEqual(['do-backup B persisted']);
    expect(stillpoint.store.filesUntimed('full')).toEqual(['full/domain/B/B-export-TIME-persisted.zip']);
    expect(stillpoint.scripts.callsOf('before-task.sh')).toEqual([]);
    expect(stillpoint.scripts.callsOf('after-task.sh')).toEqual([]);
  });
});

describe('row 3 of the task table: nobody else has quiesced it', () => {
  const byHand: DeviceChange = { domains: [{ name: 'A', isQuiesced: true }] };

  it('a domain that somebody else quiesced is left as it is', async () => {
    const fleet = await connect('held-1');
    fleet.device('held-1').change(byHand);
    const line = 'held-1/A FAILED DOMAIN_ALREADY_QUIESCED';
    const sentence = await expectStopped(fleet, 'held-1', exportOf('held-1', 'A'), line);
    expect(sentence).toContain('The domain A of held-1 is already quiesced.');
    expect(fleet.device('held-1').domain('A').phase).toBe('quiesced');
    expect(await stillpoint.guards()).toEqual([]);
  });

  it.each([
    ['held-2', secureBackupOf('held-2'), 'held-2'],
    ['held-3', exportOf('held-3', 'all-domains'), 'held-3/all-domains'],
  ])(
    'a device with a domain that somebody else quiesced is left as it is (%s)',
    async (device, plan, name) => {
      const fleet = await connect(device);
      fleet.device(device).change(byHand);
      await expectStopped(fleet, device, plan, `${name} FAILED DEVICE_HAS_QUIESCED_DOMAINS`);
      expect(
        fleet
          .device(device)
          .view()
          .domains.map(({ phase }) => phase),
      ).toEqual(['normal', 'quiesced', 'normal']);
      expect(await stillpoint.guards()).toEqual([]);
    },
  );

  it('another domain of the device is of no concern to a task on one domain', async () => {
    const fleet = await connect('held-4');
    fleet.device('held-4').change(byHand);
    const activities = [{ exportDomain: { devices: 'held-4', domains: 'B', quiesce: true } }];
    const { lines } = await stillpoint.runPlan({ activities });
    expect(lines).toEqual(['held-4/B SUCCEEDED']);
    expect(fleet.sentTo('held-4')).toEqual(['DomainQuiesce B', 'do-backup B persisted', 'DomainUnquiesce B']);
    expect(fleet.device('held-4').domain('A').phase).toBe('quiesced');
  });

  it('a task that quiesces nothing backs up what somebody else quiesced, and leaves it quiesced', async () => {
    const fleet = await connect('held-5');
    fleet.device('held-5').change(byHand);
    const { lines } = await stillpoint.runPlan({
      activities: [{ exportDomain: { devices: 'held-5', domains: 'A' } }],
    });
    expect(lines).toEqual(['held-5/A SUCCEEDED']);
    expect(fleet.sentTo('held-5')).toEqual(['do-backup A persisted']);
    expect(fleet.device('held-5').domain('A').phase).toBe('quiesced');
  });
});

describe('the first look at a device', () => {
  it('that does not answer any more fails the task before anything is done', async () => {
    const fleet = await connect('gone');
    const gate = stillpoint.scripts.writeGate('gone-gate.sh');
    const run = await stillpoint.startRun({ ...exportOf('gone', 'A'), prePlanScript: 'gone-gate.sh' });
    await gate.reached();
    fleet.device('gone').change({ isDown: true });
    gate.open();
    const { tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['gone/A FAILED DEVICE_UNREACHABLE']);
    expect(tasks[0]?.sentence).not.toBe('');
    expectUntouched(fleet, 'gone');
  });
});

describe('row 5 of the task table: what a secure backup needs on the device', () => {
  it('a device that is not in secure backup mode', async () => {
    const fleet = await connect('mode', { backupMode: 'normal' });
    const line = 'mode FAILED DEVICE_NOT_IN_DR_MODE';
    expect(await expectStopped(fleet, 'mode', secureBackupOf('mode'), line)).toContain('is "normal"');
  });

  it('a certificate that does not exist on the device', async () => {
    const fleet = await connect('cert-1');
    const line = 'cert-1 FAILED CERT_DOESNT_EXIST_ON_DEVICE';
    const sentence = await expectStopped(fleet, 'cert-1', secureBackupOf('cert-1', 'no-such-cert'), line);
    expect(sentence).toContain('no-such-cert');
  });

  it('a certificate that exists on the device and is down', async () => {
    const fleet = await connect('cert-2', { certificates: [{ name: 'dr-cert', opState: 'down' }] });
    const line = 'cert-2 FAILED CERT_DOESNT_EXIST_ON_DEVICE';
    await expectStopped(fleet, 'cert-2', secureBackupOf('cert-2'), line);
  });

  it('too little room in the temporary storage of the device', async () => {
    const fleet = await connect('room', { freeTemporaryMb: 511 });
    const line = 'room FAILED NOT_ENOUGH_FREE_SPACE_ON_DEVICE';
    expect(await expectStopped(fleet, 'room', secureBackupOf('room'), line)).toContain('511 MB');
  });
});
