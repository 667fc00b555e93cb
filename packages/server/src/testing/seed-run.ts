import type { Reason, RunSpec, TaskSpec } from '@stillpoint/core';
import type { Kysely } from 'kysely';
import type { Tables } from '../adapters/tables.ts';
import { sampleRun } from './sample-run.ts';

type TaskStatus = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';

/** For tests: a row for a run, as if it had been queued; returns its spec. */
export async function seedRun(
  db: Kysely<Tables>,
  {
    status = 'RUNNING',
    reason = null,
    ...more
  }: Partial<RunSpec> & { status?: string; reason?: Reason | null } = {},
): Promise<RunSpec> {
  const spec = sampleRun(more);
  await db
    .insertInto('run')
    .values({
      id: spec.runId,
      plan_name: spec.plan.name,
      spec: JSON.stringify(spec),
      status,
      reason: reason === null ? null : JSON.stringify(reason),
      queued_at: new Date(spec.queuedAt),
      ended_at: null,
    })
    .execute();
  return spec;
}

/** For tests: a row for a task of a run that has one. */
export async function seedTask(
  db: Kysely<Tables>,
  spec: TaskSpec,
  {
    status = 'RUNNING',
    reason = null,
    endedAt = null,
  }: { status?: TaskStatus; reason?: Reason | null; endedAt?: number | null } = {},
): Promise<void> {
  await db
    .insertInto('task')
    .values({
      id: spec.taskId,
      run_id: spec.runId,
      activity_index: 0,
      action: spec.action,
      device: spec.device,
      domain: spec.domain,
      spec: JSON.stringify(spec),
      status,
      reason: reason === null ? null : JSON.stringify(reason),
      queued_at: new Date(spec.queuedAt),
      started_at: null,
      ended_at: endedAt === null ? null : new Date(endedAt),
    })
    .execute();
}
