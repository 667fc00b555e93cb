/** How many tasks of a run stand where. */
export type TaskCounts = {
  readonly waiting: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
};

/** What a run with no task left to do ends as; skips alone do not make it partial. */
export function runOutcome(
  counts: Pick<TaskCounts, 'succeeded' | 'failed' | 'cancelled'>,
): 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED' | 'SKIPPED' {
  const { succeeded, failed, cancelled } = counts;
  if (succeeded + failed + cancelled === 0) return 'SKIPPED';
  if (failed + cancelled === 0) return 'SUCCEEDED';
  if (succeeded > 0) return 'PARTIAL';
  return failed > 0 ? 'FAILED' : 'CANCELLED';
}
