import type { Clock } from './clock.ts';

/**
 * Resolves after so long, at once when the signal aborts, or when what `begun` is handed is called; leaves no timer
 * behind.
 */
export function pause(
  clock: Pick<Clock, 'after'>,
  ms: number,
  signal: AbortSignal,
  begun: (end: () => void) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      callOff();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const callOff = clock.after(ms, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    else begun(end);
  });
}
