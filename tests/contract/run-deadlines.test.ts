import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import type { Gate } from './testing/scripts-folder.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

const MINUTE_MS = 60_000;
let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const byWindow = 'CANCELLED EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW';

/** A window of UTC that is open now and closes in one to two minutes. */
function closingWindow(): string[] {
  const at = (ms: number): string => new Date(stillpoint.clock.now() + ms).toISOString().slice(11, 16);
  return [`${at(-60 * MINUTE_MS)}-${at(2 * MINUTE_MS)}`];
}

/** A device, and a plan with a task on A that is held at a gate and one on B that waits behind it. */
async function connect(device: string): Promise<{ fleet: PretendFleet; gate: Gate; plan: PlanInput }> {
  const fleet = await stillpoint.connectFleet([{ name: device, domains: [{ name: 'A' }, { name: 'B' }] }]);
  const gate = stillpoint.scripts.writeGate(`${device}-gate.sh`);
  const common = { devices: device, quiesce: true };
  const activities = [
    { exportDomain: { ...common, domains: 'A', preTaskScript: `${device}-gate.sh` } },
    { exportDomain: { ...common, domains: 'B' } },
  ];
  return { fleet, gate, plan: { activities } };
}

const turnOfA = ['DomainQuiesce A', 'do-backup A persisted', 'DomainUnquiesce A'];

describe('a window that closes under a run', () => {
  it('cancels what waits; what goes on finishes, then the post-plan script runs and the run ends', async () => {
    const { fleet, gate, plan } = await connect('closing-1');
    stillpoint.scripts.writeRecorder('closing-1-after.sh');
    const run = await stillpoint.startRun({
      ...plan,
      window: closingWindow(),
      postPlanScript: 'closing-1-after.sh',
    });
    await gate.reached();
    await stillpoint.taskIn(run, 'B', 'WAITING');
    stillpoint.clock.putForward(2 * MINUTE_MS);
    await stillpoint.taskIn(run, 'B', 'CANCELLED');
    await stillpoint.taskIn(run, 'A', 'RUNNING');
    expect(stillpoint.scripts.callsOf('closing-1-after.sh')).toEqual([]);
    gate.open();
    const { run: ended, tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['closing-1/A SUCCEEDED', `closing-1/B ${byWindow}`]);
    expect(tasks[1]?.startedAt).toBeNull();
    expect(`${ended.status} ${ended.reasonCode}`).toBe(
      'PARTIAL EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW',
    );
    expect(fleet.sentTo('closing-1')).toEqual(turnOfA);
    expect(stillpoint.store.filesUntimed('closing-1')).toEqual([
      'closing-1/domain/A/A-export-TIME-persisted.zip',
    ]);
    expect(stillpoint.scripts.callsOf('closing-1-after.sh')).toHaveLength(1);
  });

  it('in the middle of a backup still has it finished and the domain set moving', async () => {
    const { fleet, gate, plan } = await connect('closing-2');
    gate.open();
    fleet.device('closing-2').orderFault({ kind: 'delay', delayMs: 1500, operation: 'do-backup' });
    const arrived = fleet.arrivalOf('do-backup', 'closing-2');
    const run = await stillpoint.startRun({ ...plan, window: closingWindow() });
    await arrived;
    expect(fleet.device('closing-2').domain('A').phase).toBe('quiesced');
    stillpoint.clock.putForward(2 * MINUTE_MS);
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['closing-2/A SUCCEEDED', `closing-2/B ${byWindow}`]);
    expect(fleet.sentTo('closing-2')).toEqual(turnOfA);
    expect(fleet.device('closing-2').domain('A').phase).toBe('normal');
  });

  it('during the pre-plan script starts no task at all', async () => {
    const { fleet, gate, plan } = await connect('closing-3');
    const run = await stillpoint.startRun({
      ...plan,
      window: closingWindow(),
      prePlanScript: 'closing-3-gate.sh',
    });
    await gate.reached();
    stillpoint.clock.putForward(2 * MINUTE_MS);
    gate.open();
    const { run: ended, tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual([`closing-3/A ${byWindow}`, `closing-3/B ${byWindow}`]);
    expect(tasks.map(({ startedAt }) => startedAt)).toEqual([null, null]);
    expect(ended.status).toBe('CANCELLED');
    expect(fleet.sentTo('closing-3')).toEqual([]);
    expect(stillpoint.store.files('closing-3')).toEqual([]);
  });

  it('that was overridden for the run closes for nobody', async () => {
    const { gate, plan } = await connect('closing-4');
    const request = { windowOverrideReason: 'the night was too short' };
    const run = await stillpoint.startRun({ ...plan, window: closingWindow() }, request);
    await gate.reached();
    stillpoint.clock.putForward(2 * MINUTE_MS);
    gate.open();
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['closing-4/A SUCCEEDED', 'closing-4/B SUCCEEDED']);
  });

  it('a blackout date that begins under a run does the same', async () => {
    const { fleet, gate, plan } = await connect('closing-5');
    const tomorrow = stillpoint.clock.now() + 24 * 60 * MINUTE_MS;
    const day = new Date(tomorrow).toISOString().slice(0, 10);
    await stillpoint.setParameters({ 'queue.maxHours': 720 });
    const run = await stillpoint.startRun({ ...plan, blackoutDates: [day] });
    await gate.reached();
    stillpoint.clock.putForward(Date.parse(`${day}T00:00:00Z`) - stillpoint.clock.now());
    await stillpoint.taskIn(run, 'B', 'CANCELLED');
    gate.open();
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['closing-5/A SUCCEEDED', `closing-5/B ${byWindow}`]);
    expect(fleet.sentTo('closing-5')).toEqual(turnOfA);
  });
});

describe('queue.maxHours', () => {
  it('cancels a task that has waited longer; the one that goes on finishes', async () => {
    await stillpoint.setParameters({ 'queue.maxHours': 3 });
    const { fleet, gate, plan } = await connect('waiting');
    const run = await stillpoint.startRun(plan);
    await gate.reached();
    stillpoint.clock.putForward(180 * MINUTE_MS + 1000);
    await stillpoint.taskIn(run, 'B', 'CANCELLED');
    gate.open();
    const { run: ended, tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual([
      'waiting/A SUCCEEDED',
      'waiting/B CANCELLED EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED',
    ]);
    expect(tasks[1]?.sentence).toContain('longer than 3 hours');
    expect(ended.status).toBe('PARTIAL');
    expect(fleet.sentTo('waiting')).toEqual(turnOfA);
    expect(stillpoint.store.filesUntimed('waiting')).toEqual([
      'waiting/domain/A/A-export-TIME-persisted.zip',
    ]);
  });
});
