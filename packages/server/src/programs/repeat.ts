import { type Clock, pause } from '@stillpoint/engine';

/** Work that is done again and again until it is stopped. */
export type Repetition = {
  /** Resolves when the work that is going on has ended. */
  stop(): Promise<void>;
};

/** Does the work, pauses, and does it again; what it throws is told and changes nothing. */
export function repeat(
  clock: Pick<Clock, 'after'>,
  work: (signal: AbortSignal) => Promise<void>,
  pauseMs: number,
  onProblem: (error: unknown) => void,
): Repetition {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await work(signal).catch(onProblem);
      await pause(clock, pauseMs, signal);
    }
  };
  const ended = loop();
  return {
    stop() {
      stopping.abort();
      return ended;
    },
  };
}
