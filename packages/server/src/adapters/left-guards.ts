import { type RawBuilder, sql } from 'kysely';

/**
 * True of a row of `device_guard`, beside the `task` that opened it, when no task undoes it: its task gave up or has ended,
 * or has been parked for `parkedMs`.
 */
export const isLeft = (parkedMs: number) => sql<boolean>`(
  left_at is not null or task.status not in ('WAITING', 'RUNNING')
  or exists (
    select from alarm
    where alarm.code = 'TASK_PARKED' and alarm.subject_kind = 'task' and alarm.closed_at is null
      and alarm.subject_name = device_guard.task_id::text
      and alarm.opened_at <= clock_timestamp() - make_interval(secs => ${sql.lit(parkedMs / 1000)})
      and ${isStillParked(sql`device_guard.task_id`)}
  )
)`;

/**
 * True of a row of `alarm` that says that a subject is parked, while the subject has not gone on: to be taken over, or told
 * something, is not yet that.
 */
export const isStillParked = (subjectId: RawBuilder<unknown>) => sql<boolean>`not exists (
  select from journal_fact later
  where later.subject_id = ${subjectId} and later.seq > alarm.subject_seq
    and later.body->>'type' not in ('takenOver', 'told')
)`;
