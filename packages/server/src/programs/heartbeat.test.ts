import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../../engine/src/testing/manual-clock.ts';
import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { Sent } from '../app/notifier.ts';
import { type RecordsGround, rememberedGround } from '../testing/records-ground.ts';
import { type HeartbeatReceiver, sendHeartbeat } from './heartbeat.ts';

let ground: RecordsGround<MemoryTransaction>;
let clock: ManualClock;
let everyMs: number | null;
let calls: number;
let answer: (signal: AbortSignal) => Promise<Sent>;

beforeEach(async () => {
  ground = await rememberedGround();
  clock = new ManualClock();
  everyMs = 60_000;
  calls = 0;
  answer = async () => ({ ok: true, remark: null });
});

const receiver: HeartbeatReceiver = {
  everyMs: async () => everyMs,
  async call(signal) {
    calls += 1;
    return answer(signal);
  },
};

const beat = (stopping = new AbortController().signal) =>
  sendHeartbeat({ records: ground.records.notices, receiver, clock }, stopping);

const unreachable = (detail: string): Sent => {
  const fault = { code: 'RECEIVER_UNREACHABLE', effect: 'unknown', retryable: true, detail } as const;
  return { ok: false, fault, askedPauseMs: null };
};

it('a heartbeat is sent by one of many nodes, at its pace', async () => {
  await Promise.all([beat(), beat(), beat()]);
  expect(calls).toBe(1);
  await ground.pass(59_999);
  await beat();
  expect(calls).toBe(1);
  await ground.pass(1);
  await Promise.all([beat(), beat()]);
  expect(calls).toBe(2);
});

it('no heartbeat is sent while nobody is to be told', async () => {
  everyMs = null;
  await beat();
  expect(calls).toBe(0);
  expect(await ground.heartbeatProblem()).toBeUndefined();
});

it('a heartbeat that did not arrive is remembered until one does', async () => {
  answer = async () => unreachable('It is down.');
  await beat();
  expect(await ground.heartbeatProblem()).toBe('It is down.');
  answer = async () => ({ ok: true, remark: null });
  await ground.pass(60_000);
  await beat();
  expect(await ground.heartbeatProblem()).toBeNull();
});

it('a heartbeat whose receiver is silent is given up', async () => {
  answer = (signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(unreachable('It is silent.'))));
  const beating = beat();
  await expect.poll(() => calls).toBe(1);
  clock.pass(10_000);
  await beating;
  expect(await ground.heartbeatProblem()).toBe('It is silent.');
});
