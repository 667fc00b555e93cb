import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const byPolicy = 'CANCELLED EXECUTION_CANCELED_BECAUSE_ERROR_POLICY';

/** A device with the domains A to C, the first of which cannot be exported. */
async function connect(name: string): Promise<PretendFleet> {
  const domains = ['A', 'B', 'C'].map((domain) => ({ name: domain }));
  const fleet = await stillpoint.connectFleet([{ name, domains }]);
  fleet.device(name).orderFault({ kind: 'bad-crc', domain: 'A', times: -1 });
  return fleet;
}

describe('the error policy halt', () => {
  it('cancels the tasks that wait when one has failed', async () => {
    const fleet = await connect('halt-1');
    const { run, tasks, lines } = await stillpoint.runPlan({
      activities: [{ exportDomain: { devices: 'halt-1', domains: '*,!default' } }],
    });
    expect(lines).toEqual(['halt-1/A FAILED EXPORT_BAD_CRC', `halt-1/B ${byPolicy}`, `halt-1/C ${byPolicy}`]);
    expect(`${run.status} ${run.reasonCode}`).toBe('FAILED EXECUTION_CANCELED_BECAUSE_ERROR_POLICY');
    expect(tasks.slice(1).map(({ startedAt }) => startedAt)).toEqual([null, null]);
    expect(fleet.sentTo('halt-1')).toEqual(['do-backup A persisted']);
    expect(stillpoint.store.files('halt-1')).toEqual([]);
  });

  it('also when a check stopped it before anything was sent', async () => {
    const fleet = await connect('halt-2');
    fleet.device('halt-2').change({ domains: [{ name: 'B', isQuiesced: true }] });
    const { lines } = await stillpoint.runPlan({
      activities: [{ exportDomain: { devices: 'halt-2', domains: 'B,C', quiesce: true } }],
    });
    expect(lines).toEqual(['halt-2/B FAILED DOMAIN_ALREADY_QUIESCED', `halt-2/C ${byPolicy}`]);
    expect(fleet.sentTo('halt-2')).toEqual([]);
  });

  it('lets tasks finish that are going on', async () => {
    const failing = await connect('halt-3');
    const going = await stillpoint.connectFleet([
      { name: 'halt-4', domains: [{ name: 'B' }, { name: 'C' }] },
    ]);
    const gate = stillpoint.scripts.writeGate('halt-4-gate.sh');
    const quiesced = { devices: 'halt-4', domains: 'B', quiesce: true, preTaskScript: 'halt-4-gate.sh' };
    const run = await stillpoint.startRun({
      activities: [
        { exportDomain: quiesced },
        { exportDomain: { devices: 'halt-3', domains: 'A' } },
        { exportDomain: { devices: 'halt-4', domains: 'C' } },
      ],
    });
    await gate.reached();
    await stillpoint.taskIn(run, 'C', 'CANCELLED');
    await stillpoint.taskIn(run, 'B', 'RUNNING');
    gate.open();
    const { run: ended, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['halt-4/B SUCCEEDED', 'halt-3/A FAILED EXPORT_BAD_CRC', `halt-4/C ${byPolicy}`]);
    expect(ended.status).toBe('PARTIAL');
    expect(going.sentTo('halt-4')).toEqual(['DomainQuiesce B', 'do-backup B persisted', 'DomainUnquiesce B']);
    expect(failing.sentTo('halt-3')).toEqual(['do-backup A persisted']);
    expect(stillpoint.store.filesUntimed('halt-4')).toEqual(['halt-4/domain/B/B-export-TIME-persisted.zip']);
  });

  it('is not set off by a task that was skipped', async () => {
    await stillpoint.connectFleet([
      { name: 'halt-5', isDown: true },
      { name: 'halt-6', domains: [{ name: 'A' }] },
    ]);
    const { lines } = await stillpoint.runPlan({
      activities: [{ exportDomain: { devices: 'halt-5,halt-6', domains: 'A' } }],
    });
    expect(lines).toEqual(['halt-5/A SKIPPED SKIPPED_DEVICE_NOT_AVAILABLE', 'halt-6/A SUCCEEDED']);
  });
});

describe('the error policy ignore', () => {
  it('goes on with the tasks that wait', async () => {
    const fleet = await connect('ignore-1');
    const { run, lines } = await stillpoint.runPlan({
      defaultErrorPolicy: 'ignore',
      activities: [{ exportDomain: { devices: 'ignore-1', domains: '*,!default' } }],
    });
    expect(lines).toEqual([
      'ignore-1/A FAILED EXPORT_BAD_CRC',
      'ignore-1/B SUCCEEDED',
      'ignore-1/C SUCCEEDED',
    ]);
    expect(`${run.status} ${run.reasonCode}`).toBe('PARTIAL SOME_TASKS_FAILED');
    expect(fleet.sentTo('ignore-1')).toEqual(
      ['A', 'B', 'C'].map((domain) => `do-backup ${domain} persisted`),
    );
    expect(stillpoint.store.filesUntimed('ignore-1')).toHaveLength(2);
  });
});

describe('the error policy of an activity', () => {
  it.each([
    ['halt', 'ignore', 'SUCCEEDED'],
    ['ignore', 'halt', byPolicy],
    ['halt', 'plan', byPolicy],
    ['ignore', 'plan', 'SUCCEEDED'],
  ] as const)(
    'stands above that of the plan: %s in the plan, %s in the activity',
    async (ofPlan, ofActivity, end) => {
      const device = `above-${ofPlan}-${ofActivity}`;
      await connect(device);
      const { lines } = await stillpoint.runPlan({
        defaultErrorPolicy: ofPlan,
        activities: [{ exportDomain: { devices: device, domains: 'A,B', errorPolicy: ofActivity } }],
      });
      expect(lines).toEqual([`${device}/A FAILED EXPORT_BAD_CRC`, `${device}/B ${end}`]);
    },
  );
});

describe("an operator's cancel", () => {
  const byOperator = 'CANCELLED EXECUTION_CANCELED_BY_OPERATOR';

  it('cancels what waits at once, and what goes on after undoing its quiesce', async () => {
    const fleet = await connect('cancel-1');
    fleet.device('cancel-1').orderFault({ kind: 'stall', operation: 'do-backup' });
    const arrived = fleet.arrivalOf('do-backup', 'cancel-1');
    const run = await stillpoint.startRun({
      activities: [{ exportDomain: { devices: 'cancel-1', domains: 'B,C', quiesce: true } }],
    });
    await arrived;
    expect(fleet.device('cancel-1').domain('B').phase).toBe('quiesced');
    const answer = await stillpoint.client.cancelRun({ params: { id: run.id } });
    expect(answer.ok).toBe(true);
    const { run: ended, tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual([`cancel-1/B ${byOperator}`, `cancel-1/C ${byOperator}`]);
    expect(`${ended.status} ${ended.reasonCode}`).toBe(byOperator);
    expect(tasks[1]?.startedAt).toBeNull();
    expect(fleet.sentTo('cancel-1').filter((text) => text.endsWith('C'))).toEqual([]);
    expect(fleet.sentTo('cancel-1').at(-1)).toBe('DomainUnquiesce B');
    expect(fleet.device('cancel-1').domain('B').phase).toBe('normal');
    expect(await stillpoint.guards()).toEqual([]);
    expect(stillpoint.store.files('cancel-1')).toEqual([]);
    expect(stillpoint.store.leftovers()).toEqual([]);
  });

  it('during the pre-plan script leaves every device alone', async () => {
    const fleet = await connect('cancel-2');
    const gate = stillpoint.scripts.writeGate('cancel-2-gate.sh');
    const run = await stillpoint.startRun({
      prePlanScript: 'cancel-2-gate.sh',
      activities: [{ exportDomain: { devices: 'cancel-2', domains: 'B', quiesce: true } }],
    });
    await gate.reached();
    await stillpoint.client.cancelRun({ params: { id: run.id } });
    gate.open();
    const { run: ended, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual([`cancel-2/B ${byOperator}`]);
    expect(ended.status).toBe('CANCELLED');
    expect(fleet.sentTo('cancel-2')).toEqual([]);
  });

  it('of a run that has ended is refused', async () => {
    await connect('cancel-3');
    const { run } = await stillpoint.runPlan({
      activities: [{ exportDomain: { devices: 'cancel-3', domains: 'B' } }],
    });
    const answer = await stillpoint.client.cancelRun({ params: { id: run.id } });
    expect(answer.ok ? 'accepted' : answer.problem.code).toBe('RUN_ALREADY_ENDED');
    expect(stillpoint.store.files('cancel-3')).toHaveLength(1);
  });
});
