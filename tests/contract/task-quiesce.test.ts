import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceDescriptionInput } from '../../packages/simulator/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const exportOf = (devices: string, domains: string): PlanInput => ({
  activities: [{ exportDomain: { devices, domains, quiesce: true } }],
});

function connect(name: string, more: Partial<DeviceDescriptionInput> = {}): Promise<PretendFleet> {
  return stillpoint.connectFleet([{ name, domains: [{ name: 'A' }, { name: 'B' }], ...more }]);
}

const phasesOf = (fleet: PretendFleet, device: string): string[] =>
  fleet
    .device(device)
    .view()
    .domains.map(({ phase }) => phase);

describe('row 7 of the task table: the quiesce is sent', () => {
  it('to the domain for a task on one domain, and to no other', async () => {
    const fleet = await connect('one');
    await stillpoint.runPlan(exportOf('one', 'A'));
    expect(fleet.sentTo('one')).toEqual(['DomainQuiesce A', 'do-backup A persisted', 'DomainUnquiesce A']);
  });

  it.each([
    ['domain', 'A', 'DomainQuiesce A'],
    ['device', 'all-domains', 'QuiesceDP'],
  ])(
    'and refused for a %s: the task fails, nothing is unquiesced or backed up',
    async (what, domains, sent) => {
      const device = `refused-${what}`;
      const fleet = await connect(device);
      const operation = sent.split(' ')[0] ?? '';
      fleet.device(device).orderFault({ kind: 'error-log', operation });
      const { tasks, lines } = await stillpoint.runPlan(exportOf(device, domains));
      expect(lines).toEqual([`${device}/${domains} FAILED ACTION_REFUSED`]);
      expect(tasks[0]?.sentence).toContain('refused');
      expect(fleet.sentTo(device)).toEqual([sent]);
      expect(await stillpoint.guards()).toEqual([]);
      expect(stillpoint.store.files(device)).toEqual([]);
    },
  );

  it('and its reply lost: the task fails, and what may have been quiesced is set moving', async () => {
    const fleet = await connect('lost');
    fleet.device('lost').orderFault({ kind: 'lost-reply', operation: 'DomainQuiesce' });
    const { lines } = await stillpoint.runPlan(exportOf('lost', 'A'));
    expect(lines).toEqual(['lost/A FAILED CONNECTION_LOST']);
    expect(fleet.sentTo('lost')).toEqual(['DomainQuiesce A', 'DomainUnquiesce A']);
    expect(phasesOf(fleet, 'lost')).toEqual(['normal', 'normal', 'normal']);
    expect(await stillpoint.guards()).toEqual([]);
    expect(stillpoint.store.files('lost')).toEqual([]);
  });

  it('and ends in an error on the device: it is set moving, and the task fails', async () => {
    const fleet = await connect('error');
    fleet.device('error').orderFault({ kind: 'quiesce-error' });
    const { lines } = await stillpoint.runPlan(exportOf('error', 'A'));
    expect(lines).toEqual(['error/A FAILED QUIESCE_FAILED']);
    expect(fleet.sentTo('error')).toEqual(['DomainQuiesce A', 'DomainUnquiesce A']);
    expect(phasesOf(fleet, 'error')).toEqual(['normal', 'normal', 'normal']);
    expect(stillpoint.store.files('error')).toEqual([]);
  });
});

describe('row 8 of the task table: quiesced within time-out and grace', () => {
  it.each([
    ['domain', 'A', ['DomainQuiesce A', 'DomainUnquiesce A']],
    ['device', 'all-domains', ['QuiesceDP', 'UnquiesceDP']],
  ])(
    'a %s that never gets there is set moving, and the task is cancelled',
    { timeout: 180_000 },
    async (what, domains, sent) => {
      await stillpoint.setParameters({ 'quiesce.timeoutSeconds': 60, 'quiesce.graceSeconds': 5 });
      const device = `never-${what}`;
      const fleet = await connect(device);
      fleet.device(device).orderFault({ kind: 'quiesce-never' });
      const run = await stillpoint.startRun(exportOf(device, domains));
      await stillpoint.stepOf(run, 'quiesce', 'succeeded');
      const [guard] = await stillpoint.guards();
      expect(guard).toMatchObject({ device, hasOwner: true, quiescedAt: null });
      // Not yet: a second of the 60 + 5 is left.
      await stillpoint.letPass(64_000 - 2_000);
      await fleet.answerOf('get-status', device);
      await fleet.answerOf('get-status', device);
      expect(fleet.sentTo(device)).toEqual(sent.slice(0, 1));
      await stillpoint.letPass(3_000);
      const { tasks, lines } = await stillpoint.endOf(run);
      expect(lines).toEqual([`${device}/${domains} CANCELLED EXECUTION_CANCELED_QUIESCE_TIMEOUT`]);
      expect(tasks[0]?.sentence).toContain('was not quiesced within 60 + 5 seconds');
      expect(fleet.sentTo(device)).toEqual(sent);
      expect(phasesOf(fleet, device)).toEqual(['normal', 'normal', 'normal']);
      expect(await stillpoint.guards()).toEqual([]);
      expect(stillpoint.store.files(device)).toEqual([]);
    },
  );
});

describe('row 10 of the task table: the unquiesce', () => {
  it.each([
    ['domain', 'A', ['DomainQuiesce A', 'do-backup A persisted'], 'DomainUnquiesce A'],
    ['device', 'all-domains', ['QuiesceDP', 'do-backup all-domains persisted'], 'UnquiesceDP'],
  ])(
    'that a device refuses for a %s is sent again, each time later, until it is accepted',
    async (what, domains, before, sent) => {
      const device = `again-${what}`;
      const fleet = await connect(device);
      fleet.device(device).orderFault({ kind: 'error-log', operation: sent.split(' ')[0] ?? '', times: 2 });
      const { lines } = await stillpoint.runPlan(exportOf(device, domains));
      expect(lines).toEqual([`${device}/${domains} SUCCEEDED`]);
      expect(fleet.sentTo(device)).toEqual([...before, sent, sent, sent]);
      const tries = fleet.requests(device).filter(({ operation }) => operation === sent.split(' ')[0]);
      expect(tries.map(({ outcome }) => outcome)).toEqual(['error-log', 'error-log', 'ok']);
      const [first = 0, second = 0, third = 0] = tries.map(({ at }) => Date.parse(at));
      expect(second - first).toBeGreaterThanOrEqual(900);
      expect(third - second).toBeGreaterThanOrEqual(1900);
      expect(phasesOf(fleet, device)).toEqual(['normal', 'normal', 'normal']);
      expect(await stillpoint.guards()).toEqual([]);
    },
  );

  it('is also sent when an operator cancels before the domain has become quiesced', async () => {
    const fleet = await connect('too-soon');
    fleet.device('too-soon').orderFault({ kind: 'quiesce-never' });
    const run = await stillpoint.startRun(exportOf('too-soon', 'A'));
    await stillpoint.stepOf(run, 'quiesce', 'succeeded');
    await stillpoint.client.cancelRun({ params: { id: run.id } });
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['too-soon/A CANCELLED EXECUTION_CANCELED_BY_OPERATOR']);
    expect(fleet.sentTo('too-soon')).toEqual(['DomainQuiesce A', 'DomainUnquiesce A']);
  });
});

describe('row 11 of the task table: unquiesced within time-out and grace', () => {
  it('a domain that is not fails the task, stays guarded, and is set moving however long it takes', async () => {
    await stillpoint.setParameters({ 'unquiesce.timeoutSeconds': 1, 'unquiesce.graceSeconds': 1 });
    const fleet = await connect('stuck');
    fleet.device('stuck').orderFault({ kind: 'unquiesce-never', times: -1 });
    const { run, tasks, lines } = await stillpoint.runPlan(exportOf('stuck', 'A'));
    expect(lines).toEqual(['stuck/A FAILED UNQUIESCE_TIMEOUT']);
    expect(tasks[0]?.sentence).toContain('was not seen moving within 1 + 1 seconds');
    expect(run.status).toBe('FAILED');
    const [guard] = await stillpoint.guards();
    expect(guard).toMatchObject({ device: 'stuck', domain: 'A', taskId: tasks[0]?.id, hasOwner: false });
    expect(fleet.sentTo('stuck')).toContain('DomainUnquiesce A');
    // What was verified by then is published and stays.
    expect(stillpoint.store.filesUntimed('stuck')).toEqual(['stuck/domain/A/A-export-TIME-persisted.zip']);

    // As long as the guard is open no other task quiesces anything on the device.
    const next = await stillpoint.runPlan(exportOf('stuck', 'B'));
    expect(next.lines).toEqual(['stuck/B FAILED DEVICE_STILL_BEING_UNQUIESCED']);
    expect(fleet.sentTo('stuck')).not.toContain('DomainQuiesce B');

    fleet.device('stuck').clearFaults();
    await until(
      () => stillpoint.guards(),
      (guards) => guards.length === 0,
    );
    expect(phasesOf(fleet, 'stuck')).toEqual(['normal', 'normal', 'normal']);
    expect((await stillpoint.runPlan(exportOf('stuck', 'B'))).lines).toEqual(['stuck/B SUCCEEDED']);
  });

  it('a device that is away when it is to be unquiesced is waited for', async () => {
    await stillpoint.setParameters({ 'unquiesce.timeoutSeconds': 1, 'unquiesce.graceSeconds': 0 });
    const fleet = await connect('away');
    fleet.device('away').orderFault({ kind: 'stall', operation: 'do-backup' });
    const arrived = fleet.arrivalOf('do-backup', 'away');
    const run = await stillpoint.startRun(exportOf('away', 'A'));
    await arrived;
    fleet.device('away').change({ isDown: true });
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['away/A FAILED CONNECTION_LOST']);
    expect(fleet.device('away').domain('A').phase).toBe('quiesced');
    expect(await stillpoint.guards()).toMatchObject([{ device: 'away', domain: 'A', hasOwner: false }]);
    fleet.device('away').change({ isDown: false });
    await until(
      () => stillpoint.guards(),
      (guards) => guards.length === 0,
    );
    expect(fleet.device('away').domain('A').phase).toBe('normal');
  });
});
