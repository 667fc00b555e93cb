import type { Channel } from '@stillpoint/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../engine/src/testing/manual-clock.ts';
import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { Sent } from '../app/notifier.ts';
import { type RecordsGround, rememberedGround } from '../testing/records-ground.ts';
import { RememberedNotifier } from '../testing/remembered-notifier.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { NoticeDelivery, SEND_MS } from './notice-delivery.ts';

type Ground = RecordsGround<MemoryTransaction>;

let ground: Ground;
let clock: ManualClock;
let stopping: AbortController;
let problems: unknown[];
let email: RememberedNotifier;
let webhook: RememberedNotifier;
let begun: NoticeDelivery<MemoryTransaction>[];

beforeEach(async () => {
  ground = await rememberedGround();
  clock = new ManualClock();
  stopping = new AbortController();
  problems = [];
  email = new RememberedNotifier();
  webhook = new RememberedNotifier();
  begun = [];
});

afterEach(async () => {
  stopping.abort();
  for (const delivery of begun) await delivery.ended();
});

function newDelivery(): NoticeDelivery<MemoryTransaction> {
  const delivery = new NoticeDelivery<MemoryTransaction>({
    notices: ground.records.notices,
    notifiers: { email, webhook, syslog: new RememberedNotifier() },
    clock,
    onProblem: (error) => problems.push(error),
  });
  begun.push(delivery);
  return delivery;
}

async function endRuns(count: number, channels: readonly Channel[]): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const run = sampleRun();
    await ground.transact((trx) => ground.records.runs.insertRun(trx, run));
    await ground.transact(async (trx) => {
      await ground.records.runs.endRun(trx, run.runId, 1, { status: 'FAILED', reason: null, warnings: [] });
      await ground.records.notices.enterDigests(trx, run.runId, channels);
    });
  }
}

async function deliver(delivery = newDelivery()): Promise<void> {
  await delivery.begin(stopping.signal);
  await delivery.ended();
}

const states = async () => (await ground.notices()).map(({ channel, state }) => `${channel} ${state}`);

describe('the delivery of notices', () => {
  it('delivers all that a channel has, one after the other', async () => {
    await endRuns(5, ['email']);
    await deliver();
    expect(email.arrived).toHaveLength(5);
    expect(new Set(await states())).toEqual(new Set(['email DELIVERED']));
  });

  it('puts off what did not arrive, longer each time, and delivers it when the receiver is back', async () => {
    email.state = 'down';
    await endRuns(1, ['email']);
    const pauses = [];
    for (const pauseMs of [30_000, 60_000, 120_000]) {
      await deliver();
      await ground.pass(pauseMs - 1);
      await deliver();
      pauses.push((await ground.notices())[0]?.attempts);
      await ground.pass(1);
    }
    expect(pauses).toEqual([1, 2, 3]);
    expect(await ground.notices()).toMatchObject([{ state: 'WAITING', problem: 'The receiver is down.' }]);
    email.state = 'answers';
    await deliver();
    expect(email.arrived).toHaveLength(1);
    expect(await states()).toEqual(['email DELIVERED']);
  });

  it('gives up after three days, and at once what is refused for good', async () => {
    email.state = 'down';
    await endRuns(1, ['email']);
    await ground.pass(3 * 86_400_000);
    await deliver();
    expect(await states()).toEqual(['email GIVEN_UP']);
    await endRuns(1, ['email']);
    const refused = { code: 'RECEIVER_REFUSED', effect: 'none', retryable: false, detail: 'No.' } as const;
    email.send = async (): Promise<Sent> => ({ ok: false, fault: refused, askedPauseMs: null });
    await deliver();
    expect(await ground.notices()).toMatchObject([
      { state: 'GIVEN_UP' },
      { state: 'GIVEN_UP', attempts: 1, problem: 'No.' },
    ]);
  });

  it('leaves a receiver alone for as long as it asked', async () => {
    const busy = { code: 'RECEIVER_REFUSED', effect: 'none', retryable: true, detail: 'Busy.' } as const;
    email.send = async (): Promise<Sent> => ({ ok: false, fault: busy, askedPauseMs: 600_000 });
    await endRuns(1, ['email']);
    await deliver();
    await ground.pass(599_999);
    await deliver();
    expect(await ground.notices()).toMatchObject([{ attempts: 1 }]);
    await ground.pass(1);
    await deliver();
    expect(await ground.notices()).toMatchObject([{ attempts: 2 }]);
  });

  it('goes on with the other channels while the receiver of one is silent', async () => {
    email.state = 'silent';
    await endRuns(2, ['email', 'webhook']);
    const delivery = newDelivery();
    await delivery.begin(stopping.signal);
    await expect.poll(() => webhook.arrived.length).toBe(2);
    await endRuns(1, ['webhook']);
    await delivery.begin(stopping.signal);
    await expect.poll(() => webhook.arrived.length).toBe(3);
    expect(email.arrived).toEqual([]);
  });

  it('gives a try up that takes too long, also when who sends does not', async () => {
    email.send = () => new Promise(() => undefined);
    await endRuns(1, ['email']);
    const delivery = newDelivery();
    await delivery.begin(stopping.signal);
    clock.pass(SEND_MS);
    await delivery.ended();
    expect(await ground.notices()).toMatchObject([
      { state: 'WAITING', attempts: 1, problem: 'Sending by email took longer than 30 seconds.' },
    ]);
  });

  it('gives back what it was sending when the node stops, as if it had not been tried', async () => {
    email.state = 'silent';
    await endRuns(1, ['email']);
    const delivery = newDelivery();
    await delivery.begin(stopping.signal);
    stopping.abort();
    await delivery.ended();
    expect(await ground.notices()).toMatchObject([{ state: 'WAITING', attempts: 0, problem: null }]);
    expect(await ground.records.notices.claimNotices(['email'])).toHaveLength(1);
  });

  it('by many nodes delivers each notice once', async () => {
    await endRuns(20, ['email', 'webhook']);
    await Promise.all(Array.from({ length: 4 }, () => deliver()));
    const ids = [...email.arrived, ...webhook.arrived].map(({ noticeId }) => noticeId);
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
  });

  it('by another node, after one that died in the middle, delivers under the same id', async () => {
    await endRuns(1, ['email']);
    const [lost] = await ground.records.notices.claimNotices(['email']);
    if (lost !== undefined) await email.send(lost, stopping.signal);
    await deliver();
    expect(email.arrived).toHaveLength(1);
    await ground.pass(121_000);
    await deliver();
    expect(email.arrived.map(({ noticeId }) => noticeId)).toEqual([lost?.noticeId, lost?.noticeId]);
    expect(await states()).toEqual(['email DELIVERED']);
  });

  it('tells what was thrown, puts the notice off and goes on with the channel', async () => {
    email.send = () => Promise.reject(new Error('a mistake of ours'));
    await endRuns(1, ['email']);
    const delivery = newDelivery();
    await deliver(delivery);
    expect(problems).toEqual([new Error('a mistake of ours')]);
    expect(await ground.notices()).toMatchObject([{ state: 'WAITING', attempts: 1 }]);
    await endRuns(1, ['email']);
    await deliver(delivery);
    expect(problems).toHaveLength(2);
  });
});
