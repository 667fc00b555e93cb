import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alarm, UnquiesceOutcome } from '../../packages/contract/src/index.ts';
import type { PretendFleet } from './testing/pretend-fleet.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const exportOf = (devices: string, domains = 'A'): PlanInput => ({
  activities: [{ exportDomain: { devices, domains, quiesce: true } }],
});

async function openAlarms(subject: string): Promise<Alarm[]> {
  const answer = await stillpoint.client.listAlarms({ query: { state: 'open' } });
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.value.items.filter((alarm) => alarm.subject.name === subject);
}

/** A device whose domain A a task has left quiesced, because it takes the unquiesce and does nothing. */
async function leaveQuiesced(name: string): Promise<PretendFleet> {
  await stillpoint.setParameters({ 'unquiesce.timeoutSeconds': 1, 'unquiesce.graceSeconds': 1 });
  const fleet = await stillpoint.connectFleet([{ name, domains: [{ name: 'A' }, { name: 'B' }] }]);
  fleet.device(name).orderFault({ kind: 'unquiesce-never', times: -1 });
  const { lines } = await stillpoint.runPlan(exportOf(name));
  expect(lines).toEqual([`${name}/A FAILED UNQUIESCE_TIMEOUT`]);
  return fleet;
}

const guardOf = async (device: string) =>
  (await stillpoint.guards()).find((guard) => guard.device === device);

const isReleased = (device: string) =>
  until(
    () => guardOf(device),
    (guard) => guard === undefined,
  );

const unquiesce = async (device: string, cancelsTask = false) =>
  stillpoint.client.unquiesceGuard({
    params: { id: (await guardOf(device))?.id ?? 'none' },
    body: { cancelsTask },
  });

describe('a device that a task left quiesced', () => {
  it('is an alarm until it was seen running; to acknowledge it closes nothing', async () => {
    const fleet = await leaveQuiesced('left');
    const [alarm] = await until(
      () => openAlarms('left'),
      (alarms) => alarms.length > 0,
    );
    expect(alarm).toMatchObject({
      code: 'DEVICE_LEFT_QUIESCED',
      subject: { kind: 'device' },
      closedAt: null,
    });
    const id = alarm?.id ?? '';
    const note = 'the site knows';
    const acknowledged = await stillpoint.client.acknowledgeAlarm({ params: { id }, body: { note } });
    expect(acknowledged).toMatchObject({ ok: true, value: { acknowledgement: { note }, closedAt: null } });
    expect(await openAlarms('left')).toHaveLength(1);
    fleet.device('left').clearFaults();
    await isReleased('left');
    await until(
      () => openAlarms('left'),
      (alarms) => alarms.length === 0,
    );
    const all = await stillpoint.client.listAlarms({ query: { state: 'all' } });
    const mine = all.ok ? all.value.items.filter(({ subject }) => subject.name === 'left') : [];
    expect(mine).toMatchObject([{ id, acknowledgement: { note } }]);
  });

  it('is unquiesced at once when an operator wants it, and that is told', async () => {
    const fleet = await leaveQuiesced('now');
    fleet.device('now').clearFaults();
    // As if the last try had just failed and the next were a minute away.
    await stillpoint.query(
      `update device_guard set next_attempt_at = now() + interval '55 s' where device = 'now' and released_at is null`,
    );
    const answer = await until(
      () => unquiesce('now'),
      (outcome) => outcome.ok || outcome.problem.code !== 'GUARD_BUSY',
    );
    expect(answer).toMatchObject({
      ok: true,
      value: {
        seen: [{ domain: 'A' }],
        isSent: true,
        isTaskTold: false,
        problem: null,
      } satisfies Partial<Record<keyof UnquiesceOutcome, unknown>>,
    });
    await isReleased('now');
    expect(fleet.device('now').domain('A').phase).toBe('normal');
  });

  it('and is away says so, and is tried on', async () => {
    const fleet = await leaveQuiesced('gone');
    fleet.device('gone').change({ isDown: true });
    const answer = await until(
      () => unquiesce('gone'),
      (outcome) => outcome.ok || outcome.problem.code !== 'GUARD_BUSY',
    );
    expect(answer).toMatchObject({ ok: true, value: { seen: [], isSent: false, isReleased: false } });
    if (answer.ok) expect(answer.value.problem).toMatch(/./);
    fleet.device('gone').clearFaults();
    fleet.device('gone').change({ isDown: false });
    await isReleased('gone');
  });

  it('lets no other task quiesce anything there meanwhile: it fails, and nothing of it is sent', async () => {
    const fleet = await leaveQuiesced('held');
    const outcomes = await Promise.all(
      ['A', 'B', 'all-domains'].map((domains) => stillpoint.runPlan(exportOf('held', domains))),
    );
    expect(outcomes.flatMap(({ lines }) => lines).sort()).toEqual(
      ['A', 'B', 'all-domains'].map((domain) => `held/${domain} FAILED DEVICE_STILL_BEING_UNQUIESCED`),
    );
    expect(fleet.sentTo('held').filter((sent) => /uiesce/.test(sent) && !/Unquiesce/.test(sent))).toEqual([
      'DomainQuiesce A',
    ]);
    fleet.device('held').clearFaults();
    await isReleased('held');
  });
});

describe('a device that a task holds quiesced', () => {
  it('is left to the task, which can be told to stop and then sets it moving itself', async () => {
    const fleet = await stillpoint.connectFleet([{ name: 'owned', domains: [{ name: 'A' }] }]);
    fleet.device('owned').orderFault({ kind: 'quiesce-never' });
    const run = await stillpoint.startRun(exportOf('owned'));
    await stillpoint.stepOf(run, 'quiesce', 'succeeded');
    expect(await unquiesce('owned')).toMatchObject({ ok: false, problem: { code: 'GUARD_HAS_OWNER' } });
    expect(fleet.sentTo('owned')).toEqual(['DomainQuiesce A']);
    expect(await openAlarms('owned')).toEqual([]);
    expect(await unquiesce('owned', true)).toMatchObject({ ok: true, value: { isTaskTold: true } });
    const { lines } = await stillpoint.endOf(run);
    expect(lines).toEqual(['owned/A CANCELLED EXECUTION_CANCELED_BY_OPERATOR']);
    expect(fleet.sentTo('owned')).toEqual(['DomainQuiesce A', 'DomainUnquiesce A']);
    expect(await stillpoint.guards()).toEqual([]);
  });
});

it('what somebody else quiesced has no guard, so there is nothing to unquiesce', async () => {
  expect(await unquiesce('nobody')).toMatchObject({ ok: false, problem: { code: 'GUARD_NOT_FOUND' } });
});
