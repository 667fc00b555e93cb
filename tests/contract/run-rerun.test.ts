import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const rerun = (id: string) => stillpoint.client.rerunRun({ params: { id }, body: { onlyFailed: true } });

describe('a run that repeats what failed', () => {
  it('has those tasks alone, by the plan as it was, and shows which run it repeats', async () => {
    const fleet = await stillpoint.connectFleet([
      { name: 'rerun-1', domains: [{ name: 'A' }, { name: 'B' }] },
      { name: 'rerun-2', domains: [{ name: 'C' }, { name: 'D' }] },
    ]);
    fleet.device('rerun-1').orderFault({ kind: 'bad-crc', domain: 'A', times: 1 });
    fleet.device('rerun-2').orderFault({ kind: 'error-log', operation: 'get-status', times: -1 });
    const activities = [
      { exportDomain: { devices: 'rerun-1', domains: 'A,B' } },
      { exportDomain: { devices: 'rerun-2', domains: 'C,D' } },
    ];
    const plan = await stillpoint.definePlan({ defaultErrorPolicy: 'ignore', activities });
    const first = await stillpoint.endOf(await stillpoint.queueRun(plan));
    expect(first.lines).toEqual([
      'rerun-1/A FAILED EXPORT_BAD_CRC',
      'rerun-1/B SUCCEEDED',
      'rerun-2/C,D SKIPPED SKIPPED_DEVICE_NOT_AVAILABLE',
    ]);
    expect(first.run.repeatsRunId).toBeNull();
    fleet.device('rerun-2').clearFaults();
    await stillpoint.apply({
      plans: [{ name: plan, window: 'none', enabled: false, activities: [activities[0] ?? {}] }],
    });
    const answer = await rerun(first.run.id);
    if (!answer.ok) throw new Error(answer.problem.detail);
    const second = await stillpoint.endOf(answer.value);
    expect(second.lines).toEqual(['rerun-1/A SUCCEEDED', 'rerun-2/C SUCCEEDED', 'rerun-2/D SUCCEEDED']);
    expect(second.run).toMatchObject({ status: 'SUCCEEDED', plan, repeatsRunId: first.run.id });
    expect(await rerun(second.run.id)).toMatchObject({ ok: false, problem: { code: 'NOTHING_TO_REPEAT' } });
  });

  it('repeats what was cancelled, and is refused while the run still goes on', async () => {
    await stillpoint.connectFleet([{ name: 'rerun-3', domains: [{ name: 'A' }] }]);
    const gate = stillpoint.scripts.writeGate('rerun-gate.sh');
    const common = { devices: 'rerun-3', domains: 'A' };
    const run = await stillpoint.startRun({
      prePlanScript: 'rerun-gate.sh',
      activities: [{ exportDomain: common }],
    });
    await gate.reached();
    expect(await rerun(run.id)).toMatchObject({ ok: false, problem: { code: 'RUN_NOT_ENDED', status: 409 } });
    await stillpoint.client.cancelRun({ params: { id: run.id } });
    gate.open();
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['rerun-3/A CANCELLED EXECUTION_CANCELED_BY_OPERATOR']);
    const answer = await rerun(run.id);
    if (!answer.ok) throw new Error(answer.problem.detail);
    expect((await stillpoint.endOf(answer.value)).lines).toEqual(['rerun-3/A SUCCEEDED']);
  });

  it('obeys its window as any run does', async () => {
    const fleet = await stillpoint.connectFleet([{ name: 'rerun-4', domains: [{ name: 'A' }] }]);
    fleet.device('rerun-4').orderFault({ kind: 'bad-crc', domain: 'A', times: 1 });
    const at = (ms: number): string => new Date(stillpoint.clock.now() + ms).toISOString().slice(11, 16);
    const window = [`${at(-3_600_000)}-${at(120_000)}`];
    const activities = [{ exportDomain: { devices: 'rerun-4', domains: 'A' } }];
    const { run } = await stillpoint.runPlan({ window, activities });
    stillpoint.clock.putForward(120_000);
    const answer = await rerun(run.id);
    if (!answer.ok) throw new Error(answer.problem.detail);
    const { run: ended } = await stillpoint.endOf(answer.value);
    expect(`${ended.status} ${ended.reasonCode}`).toBe('SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW');
    const reason = { onlyFailed: true as const, windowOverrideReason: 'agreed with the night shift' };
    const overridden = await stillpoint.client.rerunRun({ params: { id: run.id }, body: reason });
    if (!overridden.ok) throw new Error(overridden.problem.detail);
    expect((await stillpoint.endOf(overridden.value)).lines).toEqual(['rerun-4/A SUCCEEDED']);
  });

  it('of a run that is not known is refused', async () => {
    const id = '00000000-0000-7000-8000-000000000000';
    expect(await rerun(id)).toMatchObject({ ok: false, problem: { code: 'RUN_NOT_FOUND' } });
  });
});
