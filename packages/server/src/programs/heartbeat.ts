import type { Clock } from '@stillpoint/engine';
import type { Sent } from '../app/notifier.ts';
import type { HeartbeatRecords } from './notice-records.ts';

/** Who is told that a server is alive. */
export interface HeartbeatReceiver {
  /** In milliseconds; null when nobody is to be told. */
  everyMs(): Promise<number | null>;
  /** Calls once, and answers for what the world does. */
  call(signal: AbortSignal): Promise<Sent>;
}

/** What a heartbeat works with. */
export type HeartbeatTools = {
  readonly records: HeartbeatRecords;
  readonly receiver: HeartbeatReceiver;
  readonly clock: Pick<Clock, 'after'>;
};

/** A call that takes longer is given up. */
const CALL_MS = 10_000;

/** Tells the receiver that a server is alive, when it is due and no other node does. */
export async function sendHeartbeat(
  { records, receiver, clock }: HeartbeatTools,
  stopping: AbortSignal,
): Promise<void> {
  const everyMs = await receiver.everyMs();
  if (everyMs === null || !(await records.claimHeartbeat(everyMs))) return;
  const giving = new AbortController();
  const callOff = clock.after(CALL_MS, () => giving.abort());
  try {
    const sent = await receiver.call(AbortSignal.any([stopping, giving.signal]));
    if (!stopping.aborted) await records.tellHeartbeat(sent.ok ? null : sent.fault.detail);
  } finally {
    callOff();
  }
}
