import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';

const MINUTE_MS = 60_000;
let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

type Retry = { readonly attempts: number; readonly delaySeconds: number };

/** A device whose exports of A fail so often; below 0 for always. */
async function connect(name: string, times: number): Promise<PretendFleet> {
  const fleet = await stillpoint.connectFleet([{ name, domains: [{ name: 'A' }, { name: 'B' }] }]);
  if (times !== 0)
    fleet.device(name).orderFault({ kind: 'reset', operation: 'do-backup', domain: 'A', times });
  return fleet;
}

const exportOf = (devices: string, domains: string, retry: Retry, more: object = {}) => ({
  exportDomain: { devices, domains, quiesce: true, retry, ...more },
});

/** Has the next attempts begin now: nobody moves the clock of a real database. */
async function hasten(): Promise<void> {
  await stillpoint.query(`update pgboss.job set start_after = now() where start_after > now()`);
}

/** A window of UTC that is open now and closes in one to two minutes. */
function closingWindow(): string[] {
  const at = (ms: number): string => new Date(stillpoint.clock.now() + ms).toISOString().slice(11, 16);
  return [`${at(-60 * MINUTE_MS)}-${at(2 * MINUTE_MS)}`];
}

const phasesOf = (fleet: PretendFleet, device: string): string[] =>
  fleet
    .device(device)
    .view()
    .domains.map(({ phase }) => phase);

const attemptOfA = ['DomainQuiesce A', 'do-backup A persisted', 'DomainUnquiesce A'];

describe('a task that is tried again', () => {
  it('is undone first, waits in between, and shows each attempt', async () => {
    const fleet = await connect('again', 2);
    const plan = { activities: [exportOf('again', 'A', { attempts: 2, delaySeconds: 1 })] };
    const { run, tasks, lines } = await stillpoint.runPlan(plan);
    expect(lines).toEqual(['again/A SUCCEEDED']);
    expect(fleet.sentTo('again')).toEqual([...attemptOfA, ...attemptOfA, ...attemptOfA]);
    const [task] = tasks;
    expect([task?.attempt, task?.attempts, task?.nextAttemptAt]).toEqual([3, 3, null]);
    const ofExports = task?.steps.filter(({ name }) => name === 'fetchExport' || name === 'putOff');
    expect(ofExports?.map(({ name, attempt, outcome }) => `${name} ${attempt} ${outcome}`)).toEqual([
      'fetchExport 1 failed',
      'putOff 1 failed',
      'fetchExport 2 failed',
      'putOff 2 failed',
      'fetchExport 3 succeeded',
    ]);
    expect(task?.steps.map(({ name }) => name)).not.toContain('takeOver');
    expect(run.counters).toMatchObject({ succeeded: 1, failed: 0, waiting: 0, running: 0 });
    expect(task?.warnings).toEqual([]);
  });

  it('fails once its attempts are used up, and only then stops its run', async () => {
    await connect('used-up', -1);
    const { tasks, lines } = await stillpoint.runPlan({
      activities: [
        exportOf('used-up', 'A', { attempts: 1, delaySeconds: 1 }),
        exportOf('used-up', 'B', { attempts: 0, delaySeconds: 0 }),
      ],
    });
    expect(lines).toEqual(['used-up/A FAILED CONNECTION_LOST', 'used-up/B SUCCEEDED']);
    expect(tasks.map(({ attempt }) => attempt)).toEqual([2, 1]);
  });

  it('is not tried again for what that cannot cure', async () => {
    const fleet = await connect('held', 0);
    fleet.device('held').change({ domains: [{ name: 'A', isQuiesced: true }] });
    const plan = { activities: [exportOf('held', 'A', { attempts: 5, delaySeconds: 1 })] };
    const { tasks, lines } = await stillpoint.runPlan(plan);
    expect(lines).toEqual(['held/A FAILED DOMAIN_ALREADY_QUIESCED']);
    expect(tasks[0]?.attempt).toBe(1);
  });
});

describe('a task between two attempts', () => {
  const anHour = { attempts: 1, delaySeconds: 3600 };

  /** A run whose first task waits for its second attempt. */
  async function waiting(device: string, more: PlanInput = {}) {
    const fleet = await connect(device, 1);
    const run = await stillpoint.startRun({ activities: [exportOf(device, 'A', anHour)], ...more });
    await stillpoint.stepOf(run, 'putOff', 'failed');
    const task = await stillpoint.taskIn(run, 'A', 'WAITING');
    return { fleet, run, task };
  }

  it('holds neither its device nor a place among those that are worked on at once', async () => {
    await stillpoint.setParameters({ 'devices.parallel': 1 });
    await connect('free-1', 1);
    await connect('free-2', 0);
    const run = await stillpoint.startRun({
      activities: [
        exportOf('free-1', 'A', anHour),
        exportOf('free-1', 'B', anHour),
        exportOf('free-2', 'A', anHour),
      ],
    });
    const statuses = async (): Promise<string[]> =>
      (await stillpoint.tasksOf(run)).map(({ status }) => status);
    await until(statuses, (all) => all.join() === 'WAITING,SUCCEEDED,SUCCEEDED');
    const [first] = await stillpoint.tasksOf(run);
    expect(first).toMatchObject({ attempt: 2, attempts: 2, reasonCode: 'CONNECTION_LOST' });
    const inMs = Date.parse(first?.nextAttemptAt ?? '') - stillpoint.clock.now();
    expect(inMs).toBeGreaterThan(3_500_000);
    expect(inMs).toBeLessThanOrEqual(3_600_000);
    await hasten();
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['free-1/A SUCCEEDED', 'free-1/B SUCCEEDED', 'free-2/A SUCCEEDED']);
  });

  it("ends at once on an operator's cancel of its run", async () => {
    const { fleet, run } = await waiting('cancelled');
    await stillpoint.client.cancelRun({ params: { id: run.id } });
    const { run: ended, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['cancelled/A CANCELLED EXECUTION_CANCELED_BY_OPERATOR']);
    expect(ended.status).toBe('CANCELLED');
    await hasten();
    expect(fleet.sentTo('cancelled')).toEqual(attemptOfA);
    expect(phasesOf(fleet, 'cancelled')).toEqual(['normal', 'normal', 'normal']);
  });

  it('ends as it failed when the window closes meanwhile', async () => {
    const { fleet, run } = await waiting('closed', {
      window: closingWindow(),
      activities: [exportOf('closed', 'A', { attempts: 1, delaySeconds: 30 })],
    });
    stillpoint.clock.putForward(2 * MINUTE_MS);
    const { tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['closed/A FAILED CONNECTION_LOST']);
    expect(tasks[0]?.sentence).toContain('It was not tried again: The window of');
    expect(fleet.sentTo('closed')).toEqual(attemptOfA);
  });

  it('ends as it failed when its run has waited for as long as the queue allows', async () => {
    await stillpoint.setParameters({ 'queue.maxHours': 3 });
    const { run } = await waiting('too-long');
    stillpoint.clock.putForward(180 * MINUTE_MS + 1000);
    const { tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['too-long/A FAILED CONNECTION_LOST']);
    expect(tasks[0]?.sentence).toContain('It was not tried again: It waited longer than 3 hours.');
  });

  it('ends as it failed when another task halts the run', async () => {
    await connect('halted-1', 1);
    const other = await connect('halted-2', -1);
    const gate = stillpoint.scripts.writeGate('halted-gate.sh');
    const never = { attempts: 0, delaySeconds: 0 };
    const run = await stillpoint.startRun({
      activities: [
        exportOf('halted-1', 'A', anHour),
        exportOf('halted-2', 'A', never, { preTaskScript: 'halted-gate.sh' }),
      ],
    });
    await stillpoint.stepOf(run, 'putOff', 'failed');
    gate.open();
    const { tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['halted-1/A FAILED CONNECTION_LOST', 'halted-2/A FAILED CONNECTION_LOST']);
    expect(tasks[0]?.sentence).toContain('It was not tried again');
    expect(other.sentTo('halted-2')).toEqual(attemptOfA);
  });

  it('is not begun when the window would be closed by then', async () => {
    const fleet = await connect('closing', 1);
    const { tasks, lines } = await stillpoint.runPlan({
      window: closingWindow(),
      activities: [exportOf('closing', 'A', { attempts: 3, delaySeconds: 600 })],
    });
    expect(lines).toEqual(['closing/A FAILED CONNECTION_LOST']);
    expect(tasks[0]?.sentence).toContain('It was not tried again: The window is closed by then.');
    expect(fleet.sentTo('closing')).toEqual(attemptOfA);
  });
});
