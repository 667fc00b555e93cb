import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { channels, type RunSpec, type RunVerdict, reasonOf } from '../../packages/core/src/index.ts';
import type { RunDigest } from '../../packages/server/src/index.ts';
import { sampleRun } from '../../packages/server/src/testing/sample-run.ts';
import { sampleTask } from '../../packages/server/src/testing/sample-task.ts';
import { type AnyRecordsGround, recordsGrounds } from './testing/records-grounds.ts';

const AT = Date.UTC(2026, 2, 29, 2);
const reason = reasonOf('INTERRUPTED', 'The server was stopped.');
const LEASE_MS = 120_000;

describe.each(recordsGrounds)('the notices: %s', (_, open) => {
  let ground: AnyRecordsGround;

  beforeAll(async () => {
    ground = await open();
  });

  beforeEach(() => ground.empty());
  afterAll(() => ground.close());

  type Ending = 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'SKIPPED';

  /** A run with tasks that ended so. */
  async function begin(...endings: Ending[]): Promise<RunSpec> {
    const { runs, tasks } = ground.records;
    const run = sampleRun();
    const specs = endings.map((_, index) => sampleTask({ runId: run.runId, device: `QA${index + 1}` }));
    await ground.transact(async (trx) => {
      await runs.insertRun(trx, run);
      const given = specs.map((spec, index) => {
        return { spec, activityIndex: 0, skipped: endings[index] === 'SKIPPED' ? reason : null };
      });
      await tasks.replaceTasks(trx, run.runId, given);
    });
    await ground.transact(async (trx) => {
      for (const [index, status] of endings.entries()) {
        if (status === 'SKIPPED') continue;
        const verdict = { status, reason: status === 'SUCCEEDED' ? null : reason, warnings: [] };
        await tasks.endTask(trx, specs[index]?.taskId ?? '', AT, verdict);
      }
    });
    return run;
  }

  const failed: RunVerdict = { status: 'FAILED', reason, warnings: [reason] };

  const end = ({ runId }: RunSpec, told: readonly ('email' | 'syslog' | 'webhook')[] = channels) =>
    ground.transact(async (trx) => {
      await ground.records.runs.endRun(trx, runId, AT + 5, failed);
      await ground.records.notices.enterDigests(trx, runId, told);
    });

  const claim = (...wanted: ('email' | 'syslog' | 'webhook')[]) =>
    ground.records.notices.claimNotices(wanted.length === 0 ? channels : wanted);

  it('are entered in the transaction that ends their run, or not at all', async () => {
    const run = await begin('FAILED');
    const inVain = ground.transact(async (trx) => {
      await ground.records.runs.endRun(trx, run.runId, AT, failed);
      await ground.records.notices.enterDigests(trx, run.runId, ['email']);
      throw new Error('The power went.');
    });
    await expect(inVain).rejects.toThrow('The power went.');
    expect(await ground.notices()).toEqual([]);
    await end(run, ['email', 'webhook']);
    const entered = await ground.notices();
    expect(entered.map(({ channel, subjectId }) => [channel, subjectId])).toEqual([
      ['email', run.runId],
      ['webhook', run.runId],
    ]);
    expect(entered[0]).toMatchObject({ state: 'WAITING', attempts: 0, problem: null });
  });

  it('hold what the run came to, those that failed first', async () => {
    const run = await begin('SKIPPED', 'SUCCEEDED', 'CANCELLED', 'FAILED');
    await end(run, ['email']);
    const [notice] = await ground.notices();
    const place = { domain: sampleTask(run).domain, reason };
    expect(notice?.content).toEqual({
      event: 'RUN_ENDED',
      runId: run.runId,
      plan: run.plan.name,
      trigger: run.trigger,
      ...failed,
      queuedAt: run.queuedAt,
      endedAt: AT + 5,
      counts: { succeeded: 1, failed: 1, cancelled: 1, skipped: 1 },
      problems: [
        { device: 'QA4', status: 'FAILED', ...place },
        { device: 'QA3', status: 'CANCELLED', ...place },
        { device: 'QA1', status: 'SKIPPED', ...place },
      ],
      moreProblems: 0,
    });
  });

  it('name fifty tasks and say how many more there are', async () => {
    await end(await begin(...Array.from({ length: 60 }, () => 'FAILED' as const)), ['email']);
    const content = (await ground.notices())[0]?.content as RunDigest;
    expect(content.problems.map(({ device }) => device)).toEqual(
      Array.from({ length: 50 }, (_, index) => `QA${index + 1}`),
    );
    expect(content.moreProblems).toBe(10);
  });

  it('are one for each run and channel, however often they are entered', async () => {
    const run = await begin('FAILED');
    await end(run);
    await end(run);
    expect((await ground.notices()).map(({ channel }) => channel)).toEqual([...channels]);
  });

  it('are claimed by one of many who ask, one for each channel, the oldest first', async () => {
    const runs = [await begin('FAILED'), await begin('FAILED')];
    for (const run of runs) await end(run, ['email', 'syslog']);
    const claims = await Promise.all(Array.from({ length: 6 }, () => claim('email')));
    const claimed = claims.flat();
    expect(claimed.map(({ channel, attempts }) => [channel, attempts])).toEqual([
      ['email', 0],
      ['email', 0],
    ]);
    expect(claimed.map(({ content }) => (content as RunDigest).runId).sort()).toEqual(
      runs.map(({ runId }) => runId).sort(),
    );
    expect((await claim('email', 'syslog')).map(({ channel, content }) => [channel, content])).toMatchObject([
      ['syslog', { runId: runs[0]?.runId }],
    ]);
    expect(await claim('webhook')).toEqual([]);
    expect(await ground.records.notices.claimNotices([])).toEqual([]);
  });

  it('are tried again after their pause, and no earlier', async () => {
    const { notices } = ground.records;
    await end(await begin('FAILED'), ['email']);
    const [first] = await claim();
    if (first === undefined) throw new Error('Nothing was claimed.');
    await notices.putOffNotice(first, 'The receiver is down.', 30_000);
    expect(await ground.notices()).toMatchObject([
      { state: 'WAITING', attempts: 1, problem: 'The receiver is down.' },
    ]);
    await ground.pass(29_000);
    expect(await claim()).toEqual([]);
    await ground.pass(1_000);
    const [second] = await claim();
    expect(second).toMatchObject({ noticeId: first.noticeId, attempts: 1 });
    expect(second?.claimId).not.toBe(first.claimId);
    expect(second?.waitedMs).toBeGreaterThanOrEqual(30_000);
    expect(second?.waitedMs).toBeLessThan(60_000);
  });

  it('are never claimed again once they were delivered or given up', async () => {
    const { notices } = ground.records;
    await end(await begin('FAILED'), ['email', 'syslog']);
    const claimed = await claim();
    const mail = claimed.find(({ channel }) => channel === 'email');
    const line = claimed.find(({ channel }) => channel === 'syslog');
    if (mail === undefined || line === undefined) throw new Error('Not both were claimed.');
    await notices.endNotice(mail, 'DELIVERED', null);
    await notices.endNotice(line, 'GIVEN_UP', 'It was refused.');
    await ground.pass(86_400_000);
    expect(await claim()).toEqual([]);
    expect(await ground.notices()).toMatchObject([
      { channel: 'email', state: 'DELIVERED', attempts: 1, problem: null },
      { channel: 'syslog', state: 'GIVEN_UP', attempts: 1, problem: 'It was refused.' },
    ]);
  });

  it('go to another when their lease is over, and what the first says then changes nothing', async () => {
    const { notices } = ground.records;
    await end(await begin('FAILED'), ['email']);
    const [lost] = await claim();
    if (lost === undefined) throw new Error('Nothing was claimed.');
    await ground.pass(LEASE_MS - 1_000);
    expect(await claim()).toEqual([]);
    await ground.pass(2_000);
    const [held] = await claim();
    expect(held?.noticeId).toBe(lost.noticeId);
    await notices.endNotice(lost, 'DELIVERED', null);
    await notices.putOffNotice(lost, 'Too late.', 0);
    await notices.freeNotice(lost);
    expect(await ground.notices()).toMatchObject([{ state: 'WAITING', attempts: 0, problem: null }]);
    expect(await claim()).toEqual([]);
  });

  it('can be given back untried, and are due again at once', async () => {
    const { notices } = ground.records;
    await end(await begin('FAILED'), ['email']);
    const [held] = await claim();
    await notices.freeNotice(held ?? { noticeId: randomUUID(), claimId: randomUUID() });
    expect(await claim()).toMatchObject([{ noticeId: held?.noticeId, attempts: 0 }]);
  });

  it('leave the heartbeat to one of all who would send it, at its pace', async () => {
    const { notices } = ground.records;
    expect(await ground.heartbeatProblem()).toBeUndefined();
    const first = await Promise.all(Array.from({ length: 4 }, () => notices.claimHeartbeat(60_000)));
    expect(first.filter((isOurs) => isOurs)).toHaveLength(1);
    await ground.pass(59_000);
    expect(await notices.claimHeartbeat(60_000)).toBe(false);
    expect(await notices.claimHeartbeat(10_000)).toBe(true);
    await ground.pass(60_000);
    expect(await notices.claimHeartbeat(60_000)).toBe(true);
    await notices.tellHeartbeat('Nobody answers.');
    expect(await ground.heartbeatProblem()).toBe('Nobody answers.');
    await notices.tellHeartbeat(null);
    expect(await ground.heartbeatProblem()).toBeNull();
  });
});
