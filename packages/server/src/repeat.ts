/** Work that is done again and again until it is stopped. */
export type Repetition = {
  /** Resolves when the work that is going on has ended. */
  stop(): Promise<void>;
};

/** Does the work, pauses, and does it again; what it throws is told and changes nothing. */
export function repeat(
  work: (signal: AbortSignal) => Promise<void>,
  pauseMs: number,
  onProblem: (error: unknown) => void,
): Repetition {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await work(signal).catch(onProblem);
      await pause(pauseMs, signal);
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

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
