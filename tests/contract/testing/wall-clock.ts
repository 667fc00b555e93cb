import { vi } from 'vitest';

/** The wall clock of this process, which a test may put forward so that nobody has to wait for minutes to pass. */
export type WallClock = {
  /** Milliseconds since the epoch, as the server reads them. */
  now(): number;
  putForward(ms: number): void;
  restore(): void;
};

/** Takes the wall clock over; to be called before the server starts, for it keeps the function that tells the time. */
export function takeWallClock(): WallClock {
  const realNow = Date.now.bind(Date);
  let aheadMs = 0;
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
  return {
    now: () => Date.now(),
    putForward(ms) {
      aheadMs += ms;
    },
    restore: () => spy.mockRestore(),
  };
}
