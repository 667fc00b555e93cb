import type { TaskToRepeat } from '@stillpoint/core';
import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** What of a run was to be backed up and was not: its tasks that failed, were cancelled, or whose device did not answer. */
export async function tasksToRepeat(db: Kysely<Tables>, runId: string): Promise<readonly TaskToRepeat[]> {
  const rows = await db
    .selectFrom('task')
    .select(['activity_index', 'device', 'domain', 'status'])
    .where('run_id', '=', runId)
    .where(
      sql<boolean>`(status in ('FAILED', 'CANCELLED') or reason->>'code' = 'SKIPPED_DEVICE_NOT_AVAILABLE')`,
    )
    .orderBy('number')
    .execute();
  return rows.map(({ activity_index, device, domain, status }) => {
    return { activityIndex: activity_index, device, domain, isDomainKnown: status !== 'SKIPPED' };
  });
}
