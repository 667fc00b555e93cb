import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Run } from '../../packages/contract/src/index.ts';
import type { DeviceDescriptionInput } from '../../packages/simulator/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type Outcome, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const byOperator = 'CANCELLED EXECUTION_CANCELED_BY_OPERATOR';

function connect(name: string, more: Partial<DeviceDescriptionInput> = {}): Promise<PretendFleet> {
  return stillpoint.connectFleet([{ name, domains: [{ name: 'A' }, { name: 'B' }], ...more }]);
}

/** The domains A and B one after the other, quiesced. */
const exportsOf = (devices: string, more: object = {}) => [
  { exportDomain: { devices, domains: 'A', quiesce: true, ...more } },
  { exportDomain: { devices, domains: 'B', quiesce: true } },
];

async function cancel({ id }: Pick<Run, 'id'>): Promise<void> {
  const answer = await stillpoint.client.cancelRun({ params: { id } });
  if (!answer.ok) throw new Error(answer.problem.detail);
}

/** Nothing is left quiesced or published of a run that came to nothing. */
async function expectNothingLeft(fleet: PretendFleet, device: string): Promise<void> {
  const phases = fleet.device(device).view().domains;
  expect(phases.map(({ phase }) => phase)).toEqual(phases.map(() => 'normal'));
  expect(await stillpoint.guards()).toEqual([]);
  expect(stillpoint.store.files(device)).toEqual([]);
  expect(stillpoint.store.leftovers()).toEqual([]);
}

const statusOf = ({ run }: Outcome): string => `${run.status} ${run.reasonCode}`;

describe('a run that is cancelled before its tasks', () => {
  it('and before anybody began it ends at once', async () => {
    const fleet = await connect('queued');
    // A node that drains begins nothing.
    const nodes = await stillpoint.client.listNodes({});
    const name = nodes.ok ? (nodes.value.items[0]?.name ?? '') : '';
    await stillpoint.client.drainNode({ params: { name } });
    onTestFinished(async () => void (await stillpoint.client.resumeNode({ params: { name } })));
    const beat = async (): Promise<string> =>
      JSON.stringify(await stillpoint.query('select heartbeat_at from node'));
    for (let beats = 0; beats < 2; beats += 1) {
      const last = await beat();
      await until(beat, (now) => now !== last);
    }
    const run = await stillpoint.startRun({ activities: exportsOf('queued') });
    expect(run.status).toBe('QUEUED');
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect([statusOf(outcome), outcome.lines]).toEqual([byOperator, []]);
    expect(fleet.requests('queued')).toEqual([]);
  });

  it('while it asks the devices for their domains has no task, or cancels all it made', async () => {
    const fleet = await connect('expanding');
    fleet.device('expanding').orderFault({ kind: 'delay', delayMs: 800, operation: 'get-status' });
    const asked = fleet.arrivalOf('get-status', 'expanding');
    const run = await stillpoint.startRun({ activities: exportsOf('expanding') });
    await asked;
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect(statusOf(outcome)).toBe(byOperator);
    for (const line of outcome.lines) expect(line).toContain(byOperator);
    expect(fleet.sentTo('expanding')).toEqual([]);
    await expectNothingLeft(fleet, 'expanding');
  });

  it('during the pre-plan script cuts that off and cancels every task', async () => {
    const fleet = await connect('before');
    const gate = stillpoint.scripts.writeGate('before-gate.sh');
    const run = await stillpoint.startRun({
      prePlanScript: 'before-gate.sh',
      activities: exportsOf('before'),
    });
    await gate.reached();
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect(statusOf(outcome)).toBe(byOperator);
    expect(outcome.lines).toEqual([`before/A ${byOperator}`, `before/B ${byOperator}`]);
    expect(outcome.tasks.map(({ startedAt }) => startedAt)).toEqual([null, null]);
    await expectNothingLeft(fleet, 'before');
  });
});

describe('a run that is cancelled while a task goes on', () => {
  it('cancels what waits at once, though the one that goes on needs time to undo', async () => {
    const fleet = await connect('at-once', { quiesce: { quiesceMs: 50, unquiesceMs: 2_000 } });
    fleet.device('at-once').orderFault({ kind: 'delay', delayMs: 20_000, operation: 'do-backup' });
    const arrived = fleet.arrivalOf('do-backup', 'at-once');
    const run = await stillpoint.startRun({ activities: exportsOf('at-once') });
    await arrived;
    await cancel(run);
    await stillpoint.taskIn(run, 'B', 'CANCELLED');
    await stillpoint.taskIn(run, 'A', 'RUNNING');
    const outcome = await stillpoint.endOf(run);
    expect(outcome.lines).toEqual([`at-once/A ${byOperator}`, `at-once/B ${byOperator}`]);
    expect(statusOf(outcome)).toBe(byOperator);
    expect(fleet.sentTo('at-once').filter((sent) => !sent.startsWith('do-backup'))).toEqual([
      'DomainQuiesce A',
      'DomainUnquiesce A',
    ]);
    await expectNothingLeft(fleet, 'at-once');
  });

  it('in its pre-task script does not touch the device', async () => {
    const fleet = await connect('script');
    const gate = stillpoint.scripts.writeGate('script-gate.sh');
    const run = await stillpoint.startRun({
      activities: exportsOf('script', { preTaskScript: 'script-gate.sh' }),
    });
    await gate.reached();
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect(outcome.lines).toEqual([`script/A ${byOperator}`, `script/B ${byOperator}`]);
    expect(fleet.sentTo('script')).toEqual([]);
    await expectNothingLeft(fleet, 'script');
  });

  it('while it is being quiesced sets it moving again', async () => {
    const fleet = await connect('quiescing', { quiesce: { quiesceMs: 20_000, unquiesceMs: 50 } });
    const run = await stillpoint.startRun({ activities: exportsOf('quiescing') });
    await stillpoint.stepOf(run, 'quiesce', 'succeeded');
    expect(fleet.device('quiescing').domain('A').phase).toBe('quiescing');
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect(outcome.lines).toEqual([`quiescing/A ${byOperator}`, `quiescing/B ${byOperator}`]);
    expect(fleet.sentTo('quiescing')).toEqual(['DomainQuiesce A', 'DomainUnquiesce A']);
    await expectNothingLeft(fleet, 'quiescing');
  });

  it('in the middle of a secure backup removes what that made on the device', async () => {
    const fleet = await connect('secure');
    fleet.device('secure').orderFault({ kind: 'delay', delayMs: 20_000, operation: 'get-file' });
    const arrived = fleet.arrivalOf('get-file', 'secure');
    const run = await stillpoint.startRun({
      activities: [{ secureBackup: { devices: 'secure', certificate: 'dr-cert', quiesce: true } }],
    });
    await arrived;
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect(outcome.lines).toEqual([`secure ${byOperator}`]);
    expect(outcome.tasks[0]?.steps.map(({ name }) => name)).toContain('removeSecureBackup');
    await expectNothingLeft(fleet, 'secure');
  });
});

describe('a run that is cancelled when its last task has what it came for', () => {
  const onlyA = (devices: string, more: object = {}) => exportsOf(devices, more).slice(0, 1);

  it('is let publish to the end: nothing is half published', async () => {
    const fleet = await connect('publishing');
    const giveBack = await stillpoint.holdTable('backup');
    const run = await stillpoint.startRun({ activities: exportsOf('publishing') });
    await until(
      () => stillpoint.store.files('publishing'),
      (files) => files.length === 1,
    );
    await cancel(run);
    await giveBack();
    const outcome = await stillpoint.endOf(run);
    expect(outcome.lines).toEqual(['publishing/A SUCCEEDED', `publishing/B ${byOperator}`]);
    expect(statusOf(outcome)).toBe('PARTIAL EXECUTION_CANCELED_BY_OPERATOR');
    expect(fleet.device('publishing').domain('A').phase).toBe('normal');
  });

  it('sets the device moving, and the backup stays', async () => {
    const fleet = await connect('undoing', { quiesce: { quiesceMs: 50, unquiesceMs: 1_000 } });
    const run = await stillpoint.startRun({ activities: onlyA('undoing') });
    await stillpoint.stepOf(run, 'unquiesce', 'succeeded');
    await cancel(run);
    const outcome = await stillpoint.endOf(run);
    expect([outcome.lines, outcome.run.status]).toEqual([['undoing/A SUCCEEDED'], 'SUCCEEDED']);
    expect(fleet.device('undoing').domain('A').phase).toBe('normal');
    expect(stillpoint.store.files('undoing')).toHaveLength(1);
  });

  it.each([
    ['post-task', { postTaskScript: 'after-gate-task.sh' }, {}],
    ['post-plan', {}, { postPlanScript: 'after-gate-plan.sh' }],
  ])('cuts the %s script off, which is a warning', async (kind, ofTask, ofPlan) => {
    const device = kind;
    await connect(device);
    const gate = stillpoint.scripts.writeGate(`after-gate-${kind.slice(5)}.sh`);
    const run = await stillpoint.startRun({ activities: onlyA(device, ofTask), ...ofPlan });
    await gate.reached();
    await cancel(run);
    const { run: ended, tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual([`${device}/A SUCCEEDED`]);
    expect([...(tasks[0]?.warnings ?? []), ...ended.warnings]).toHaveLength(1);
    expect(stillpoint.store.files(device)).toHaveLength(1);
  });
});
