/** A task as far as its time counts; null for one of which nothing is known. */
export type TimedTask = { readonly device: string; readonly durationMs: number | null };

/**
 * How long tasks take at least, in milliseconds: no device is worked on twice at once, and no more than `parallel` devices
 * are. A task of unknown length counts as the mean of the known ones; null when no length is known.
 */
export function estimateDuration(tasks: readonly TimedTask[], parallel: number): number | null {
  const known = tasks.flatMap(({ durationMs }) => (durationMs === null ? [] : [durationMs]));
  if (known.length === 0) return null;
  const meanMs = known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const byDevice = new Map<string, number>();
  for (const { device, durationMs } of tasks)
    byDevice.set(device, (byDevice.get(device) ?? 0) + (durationMs ?? meanMs));
  let totalMs = 0;
  let longestMs = 0;
  for (const ms of byDevice.values()) {
    totalMs += ms;
    longestMs = Math.max(longestMs, ms);
  }
  return Math.round(Math.max(longestMs, totalMs / parallel));
}
