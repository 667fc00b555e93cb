import type { Guard } from '@stillpoint/contract';
import type { Kysely } from 'kysely';
import { isLeft } from './left-guards.ts';
import type { Tables } from './tables.ts';

/** Guards with what is to be said of each; `is_left`: no task that goes on undoes it. */
export function guardRows(db: Kysely<Tables>) {
  return db
    .selectFrom('device_guard')
    .innerJoin('task', 'task.id', 'device_guard.task_id')
    .select([
      'device_guard.id',
      'device_guard.device',
      'scope',
      'task_id',
      'run_id',
      'intended_at',
      'quiesced_at',
      'released_at',
      'last_problem',
      isLeft(0).as('is_left'),
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof guardRows>['execute']>>[number];

/** A guard as clients read it. */
export function guardShown(row: Row): Guard {
  const domain = row.scope.kind === 'domain' ? row.scope.domain : null;
  const name = domain === null ? row.device : `${row.device}/${domain}`;
  const trouble = row.last_problem === null ? '' : ` The last try failed: ${row.last_problem}`;
  return {
    id: String(row.id),
    device: row.device,
    domain,
    taskId: row.task_id,
    runId: row.run_id,
    intendedAt: row.intended_at.toISOString(),
    quiescedAt: row.quiesced_at?.toISOString() ?? null,
    hasOwner: !row.is_left,
    sentence: row.is_left
      ? `${name} is being set moving again until it is seen running.${trouble}`
      : `${name} is quiesced by a task that is going on.`,
  };
}
