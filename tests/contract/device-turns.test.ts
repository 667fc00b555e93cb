import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskDetail } from '../../packages/contract/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const turnOf = (domain: string): string[] => [
  `DomainQuiesce ${domain}`,
  `do-backup ${domain} persisted`,
  `DomainUnquiesce ${domain}`,
];

/** No request that changes something or fetches something was in work while another one was. */
function expectOneAtATime(fleet: PretendFleet, device: string): void {
  const spans = fleet
    .requests(device)
    .filter(({ operation }) => !operation.startsWith('get-'))
    .map(({ at, durationMs }) => ({ from: Date.parse(at), to: Date.parse(at) + durationMs }))
    .sort((one, other) => one.from - other.from);
  for (const [index, { from }] of spans.entries()) {
    // Ends are told by another clock than beginnings, in whole milliseconds.
    if (index > 0) expect(from).toBeGreaterThanOrEqual((spans[index - 1]?.to ?? 0) - 2);
  }
}

/** Each task started after the one before it had ended. */
function expectInTurn(tasks: readonly TaskDetail[]): void {
  for (const [index, { startedAt }] of tasks.entries()) {
    const before = tasks[index - 1];
    if (before !== undefined) {
      expect(Date.parse(startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(before.endedAt ?? ''));
    }
  }
}

describe('two tasks on one device', () => {
  it('of two activities work one after the other, in the order of their creation', async () => {
    const domains = ['A', 'B', 'C'].map((name) => ({ name }));
    const fleet = await stillpoint.connectFleet([{ name: 'one', domains, latencyMs: 20 }]);
    const { tasks, lines } = await stillpoint.runPlan({
      activities: [
        { exportDomain: { devices: 'one', domains: 'B,C', quiesce: true } },
        { exportDomain: { devices: 'one', domains: 'A,B', quiesce: true } },
      ],
    });
    expect(lines).toEqual(['B', 'C', 'A', 'B'].map((domain) => `one/${domain} SUCCEEDED`));
    expect(fleet.sentTo('one')).toEqual(['B', 'C', 'A', 'B'].flatMap(turnOf));
    expectOneAtATime(fleet, 'one');
    expectInTurn(tasks);
  });

  it('of two plans work one after the other, also when one is for the whole device', async () => {
    const domains = ['A', 'B', 'C'].map((name) => ({ name }));
    const fleet = await stillpoint.connectFleet([{ name: 'two', domains, latencyMs: 20 }]);
    const whole = { secureBackup: { devices: 'two', certificate: 'dr-cert', quiesce: true } };
    const first = await stillpoint.startRun({
      activities: [{ exportDomain: { devices: 'two', domains: 'A,B', quiesce: true } }],
    });
    const second = await stillpoint.startRun({
      activities: [whole, { exportDomain: { devices: 'two', domains: 'C', quiesce: true } }],
    });
    const outcomes = [await stillpoint.endOf(first), await stillpoint.endOf(second)];
    expect(outcomes.flatMap(({ lines }) => lines)).toEqual(
      ['two/A', 'two/B', 'two', 'two/C'].map((name) => `${name} SUCCEEDED`),
    );
    const turns = outcomes.flatMap(({ tasks }) => tasks);
    const byStart = turns.toSorted(
      (one, other) => Date.parse(one.startedAt ?? '') - Date.parse(other.startedAt ?? ''),
    );
    expectInTurn(byStart);
    expectOneAtATime(fleet, 'two');
    // What a turn sends stands together: no request of another turn in between.
    const sent = fleet.sentTo('two');
    for (const domain of ['A', 'B', 'C']) {
      const from = sent.indexOf(`DomainQuiesce ${domain}`);
      expect(sent.slice(from, from + 3)).toEqual(turnOf(domain));
    }
    const from = sent.indexOf('QuiesceDP');
    const turn = sent.slice(from, from + sent.length - 9);
    expect(turn.filter((text) => text.startsWith('Domain') || text.startsWith('do-backup'))).toEqual([]);
    expect(turn).toContain('UnquiesceDP');
  });
});

describe('tasks on several devices', () => {
  it('do not wait for a device that is busy', async () => {
    const fleet = await stillpoint.connectFleet([
      { name: 'busy', domains: [{ name: 'A' }, { name: 'B' }] },
      { name: 'free', domains: [{ name: 'F' }] },
    ]);
    const gate = stillpoint.scripts.writeGate('busy-gate.sh');
    const run = await stillpoint.startRun({
      activities: [
        { exportDomain: { devices: 'busy', domains: 'A', preTaskScript: 'busy-gate.sh' } },
        { exportDomain: { devices: 'busy', domains: 'B' } },
        { exportDomain: { devices: 'free', domains: 'F' } },
      ],
    });
    await gate.reached();
    await stillpoint.taskIn(run, 'F', 'SUCCEEDED');
    expect((await stillpoint.tasksOf(run)).map(({ status }) => status)).toEqual([
      'RUNNING',
      'WAITING',
      'SUCCEEDED',
    ]);
    expect(fleet.sentTo('busy')).toEqual([]);
    gate.open();
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['busy/A SUCCEEDED', 'busy/B SUCCEEDED', 'free/F SUCCEEDED']);
  });

  it('work side by side up to devices.parallel, and start in the order of their creation', async () => {
    await stillpoint.setParameters({ 'devices.parallel': 2 });
    const names = ['side-1', 'side-2', 'side-3'];
    await stillpoint.connectFleet(names.map((name) => ({ name, domains: [{ name: 'A' }] })));
    const gate = stillpoint.scripts.writeGate('side-gate.sh');
    const run = await stillpoint.startRun({
      activities: [{ exportDomain: { devices: 'side-*', domains: 'A', preTaskScript: 'side-gate.sh' } }],
    });
    await gate.reached();
    const statesOf = async (): Promise<string[]> =>
      (await stillpoint.tasksOf(run)).map(({ status }) => status);
    await expect.poll(statesOf, { timeout: 10_000 }).toEqual(['RUNNING', 'RUNNING', 'WAITING']);
    gate.open();
    const { tasks, lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(names.map((name) => `${name}/A SUCCEEDED`));
    const ends = tasks.slice(0, 2).map(({ endedAt }) => Date.parse(endedAt ?? ''));
    expect(Date.parse(tasks[2]?.startedAt ?? '')).toBeGreaterThanOrEqual(Math.min(...ends));
  });
});
