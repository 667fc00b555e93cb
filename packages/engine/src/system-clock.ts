import { uptime } from 'node:os';
import type { Clock } from './clock.ts';

/** The longest time for which an uptime is taken to grow as the monotonic clock does. */
const READ_AGAIN_MS = 1_000;

/** More than two clocks that are read one after the other differ by. */
const JUMP_MS = 20;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: elapsedOf({
    monotonicMs: () => performance.now(),
    uptimeMs: readSparingly({
      monotonicMs: () => performance.now(),
      uptimeMs: () => uptime() * 1000,
      timeOfDayMs: () => Date.now(),
    }),
  }),
  after(ms, wake) {
    const timer = setTimeout(wake, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** Two clocks that count from some instant on: one of them stands still while the machine is suspended. */
export type ElapsedSources = { readonly monotonicMs: () => number; readonly uptimeMs: () => number };

/**
 * Makes a clock that grows by the larger of what the two sources grew. The monotonic clock of a process does not count
 * the time in which the machine was suspended, the uptime does: without it a node that was carried around in a closed
 * laptop would take claims for its own that were given to others hours ago. The lead of the uptime is only ever added,
 * so that an uptime that stands still or is put back (where it is derived from the time of day) holds up nothing.
 */
export function elapsedOf({ monotonicMs, uptimeMs }: ElapsedSources): () => number {
  const lead = (): number => uptimeMs() - monotonicMs();
  const leadAtFirst = lead();
  let suspendedMs = 0;
  return () => {
    suspendedMs = Math.max(suspendedMs, lead() - leadAtFirst);
    return monotonicMs() + suspendedMs;
  };
}

/**
 * An uptime that is asked for thousands of times a second: to read it costs a call of the system, to read the other two
 * clocks none. It is read anew each second, and at once when the time of day has jumped, as it does after a suspension.
 */
export function readSparingly({
  monotonicMs,
  uptimeMs,
  timeOfDayMs,
}: ElapsedSources & { readonly timeOfDayMs: () => number }): () => number {
  let readAt = Number.NEGATIVE_INFINITY;
  let uptimeLead = 0;
  let timeOfDayLead = 0;
  return () => {
    const now = monotonicMs();
    const lead = timeOfDayMs() - now;
    if (now - readAt > READ_AGAIN_MS || Math.abs(lead - timeOfDayLead) > JUMP_MS) {
      readAt = now;
      timeOfDayLead = lead;
      uptimeLead = uptimeMs() - now;
    }
    return now + uptimeLead;
  };
}
