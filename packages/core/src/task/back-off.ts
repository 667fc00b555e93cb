/** No pause between two tries is longer. */
export const LONGEST_BACK_OFF_MS = 30_000;

/** The pause after so many tries: 1 s, 2 s, 4 s ... up to half a minute. */
export function backOffMs(attempts: number): number {
  return Math.min(1000 * 2 ** Math.max(attempts - 1, 0), LONGEST_BACK_OFF_MS);
}
