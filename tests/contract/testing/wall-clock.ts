import { vi } from 'vitest';
import { systemClock } from '../../../packages/engine/src/index.ts';

/** The clock of this process, which a test may move on so that nobody has to wait for minutes to pass. */
export type WallClock = {
  /** Milliseconds since the epoch, as the server reads them. */
  now(): number;
  /** Milliseconds since some instant, as the server counts them. */
  elapsed(): number;
  /** Somebody sets the clock; no time passes. */
  putForward(ms: number): void;
  /** Time passes, for timers as well. */
  skip(ms: number): void;
  restore(): void;
};

/** Takes the clock over; to be called before the server starts, for it keeps the function that tells the time. */
export function takeWallClock(): WallClock {
  const realNow = Date.now.bind(Date);
  const realElapsed = systemClock.elapsed.bind(systemClock);
  const realAfter = systemClock.after.bind(systemClock);
  let aheadMs = 0;
  let skippedMs = 0;
  const elapsed = (): number => realElapsed() + skippedMs;
  const again = new Set<() => void>();
  const after = (ms: number, wake: () => void): (() => void) => {
    const dueAt = elapsed() + ms;
    const begin = (): (() => void) =>
      realAfter(dueAt - elapsed(), () => {
        again.delete(beginAgain);
        wake();
      });
    let callOff = begin();
    const beginAgain = (): void => {
      callOff();
      callOff = begin();
    };
    again.add(beginAgain);
    return () => {
      again.delete(beginAgain);
      callOff();
    };
  };
  const spies = [
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs + skippedMs),
    vi.spyOn(systemClock, 'elapsed').mockImplementation(elapsed),
    vi.spyOn(systemClock, 'after').mockImplementation(after),
  ];
  return {
    now: () => Date.now(),
    elapsed,
    putForward(ms) {
      aheadMs += ms;
    },
    skip(ms) {
      skippedMs += ms;
      for (const begin of again) begin();
    },
    restore() {
      for (const spy of spies) spy.mockRestore();
    },
  };
}
