import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sent } from '../../packages/server/src/index.ts';
import { sampleNotice } from '../../packages/server/src/testing/sample-notice.ts';
import { answeringGrounds, type NotifierGround, notifierGrounds } from './testing/notifier-grounds.ts';
import { until } from './testing/until.ts';

const patient = () => AbortSignal.timeout(20_000);

const faultOf = (sent: Sent) => (sent.ok ? null : sent.fault);

describe.each(notifierGrounds)('a notifier: %s', (_, open) => {
  let ground: NotifierGround;

  beforeEach(async () => {
    ground = await open();
  });

  afterEach(() => ground.close());

  const arrivals = (count: number) => until(ground.arrived, ({ length }) => length === count);

  it('has what it is given arrive, and again under the same id when it is given it again', async () => {
    const notice = sampleNotice();
    expect(await ground.notifier.send(notice, patient())).toEqual({ ok: true, remark: null });
    expect(await arrivals(1)).toEqual([notice.noticeId]);
    expect(await ground.notifier.send(notice, patient())).toEqual({ ok: true, remark: null });
    expect(await arrivals(2)).toEqual([notice.noticeId, notice.noticeId]);
  });

  it('sends nothing while it is not set up, and says so', async () => {
    ground.unset();
    const fault = faultOf(await ground.notifier.send(sampleNotice(), patient()));
    expect(fault).toMatchObject({ code: 'CHANNEL_NOT_SET_UP', effect: 'none', retryable: true });
    expect(ground.arrived()).toEqual([]);
  });

  it('says that its receiver is down, and reaches it again when it is back', async () => {
    await ground.goDown();
    const notice = sampleNotice();
    const fault = faultOf(await ground.notifier.send(notice, patient()));
    expect(fault).toMatchObject({ code: 'RECEIVER_UNREACHABLE', retryable: true });
    await ground.comeBack();
    expect(await ground.notifier.send(notice, patient())).toEqual({ ok: true, remark: null });
    expect(await arrivals(1)).toEqual([notice.noticeId]);
  });

  it('sends nothing for who has given it up already', async () => {
    const fault = faultOf(await ground.notifier.send(sampleNotice(), AbortSignal.abort()));
    expect(fault).toMatchObject({ code: 'RECEIVER_TIMED_OUT', retryable: true });
    expect(ground.arrived()).toEqual([]);
  });
});

describe.each(answeringGrounds)('a notifier whose receiver answers: %s', (_, open) => {
  it('lets go of one that answers nothing, when it is given up', async () => {
    const ground = await open();
    await ground.fallSilent();
    const giving = new AbortController();
    const sending = ground.notifier.send(sampleNotice(), giving.signal);
    const first = await Promise.race([sending, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
    expect(first).toBe('waits');
    giving.abort();
    expect(faultOf(await sending)).toMatchObject({ code: 'RECEIVER_TIMED_OUT', effect: 'unknown' });
    await ground.close();
  });
});
