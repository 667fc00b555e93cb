import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import type { ParkedSubject } from '../programs/parked-subjects.ts';
import { isLeft, isStillParked } from './left-guards.ts';
import { enterAlarmNotices } from './notices/enter-alarm-notices.ts';
import { noticesNotDelivered } from './notices/notices-not-delivered.ts';
import { NODE_LEASE_SECONDS } from './stored-nodes.ts';
import type { Tables } from './tables.ts';

/** Any number will do as long as every node uses the same: the letters "alar" as bytes. */
const ADVISORY_LOCK_KEY = 0x616c6172;

/** What another node said is parked is believed for this long; it says so again with each of its looks. */
const HEARSAY_SECONDS = 30;

/** An alarm that was opened or closed just now. */
type Changed = Selectable<Tables['alarm']>;

/**
 * Opens an alarm for everything that is wrong now, and closes those of what is no longer so. A node that comes while another
 * looks leaves it to that one. What is true is read after the turn is ours: who had it before has written by then. Whoever is
 * to be told of it is entered in the same transaction.
 */
export async function lookForAlarms(
  db: Kysely<Tables>,
  nodeName: string,
  parked: readonly ParkedSubject[],
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ isOurs: boolean }>`
      select pg_try_advisory_xact_lock(${ADVISORY_LOCK_KEY}) as "isOurs"
    `.execute(trx);
    if (rows[0]?.isOurs !== true) return;
    const changed = await renewAlarms(nodeName, parked).execute(trx);
    await enterAlarmNotices(trx, changed.rows);
  });
}

const renewAlarms = (nodeName: string, parked: readonly ParkedSubject[]): RawBuilder<Changed> => sql<Changed>`
    with parked as (
      select case s.program when 'run' then 'RUN_PARKED' else 'TASK_PARKED' end as code,
        case s.program when 'run' then 'run' else 'task' end as subject_kind,
        s.id::text as subject_name,
        format('The %s %s does not go on at %s.', s.program, s.id, ${nodeName}::text) as sentence,
        p.problem as last_problem,
        case when s.token <= p.token then s.last_seq end as subject_seq
      from jsonb_to_recordset(${JSON.stringify(parked)}::jsonb) as p("subjectId" uuid, token bigint, problem text)
      join journal_subject s on s.id = p."subjectId"
      left join alarm on alarm.code in ('TASK_PARKED', 'RUN_PARKED') and alarm.closed_at is null
        and alarm.subject_name = p."subjectId"::text
      where not s.is_ended
        and (s.token <= p.token or (alarm.id is not null and ${isStillParked(sql`s.id`)}))
    ),
    hearsay as (
      select alarm.code, alarm.subject_kind, alarm.subject_name
      from alarm
      join journal_subject s
        on s.id = case when alarm.code in ('TASK_PARKED', 'RUN_PARKED') then alarm.subject_name::uuid end
      where alarm.closed_at is null and alarm.seen_by != ${nodeName} and not s.is_ended
        and alarm.last_seen_at > clock_timestamp() - make_interval(secs => ${sql.lit(HEARSAY_SECONDS)})
        and ${isStillParked(sql`s.id`)}
    ),
    true_now as (
      ${devicesLeftQuiesced}
      union all
      ${nodesNotHeardOf}
      union all
      select * from parked
      union all
      ${noticesNotDelivered}
    ),
    opened as (
      insert into alarm (
        id, code, subject_kind, subject_name, sentence, last_problem, subject_seq, opened_at, last_seen_at, seen_by
      )
      select gen_random_uuid(), code, subject_kind, subject_name, sentence, last_problem, subject_seq,
        clock_timestamp(), clock_timestamp(), ${nodeName}
      from true_now
      on conflict (code, subject_kind, subject_name) where closed_at is null do update
        set sentence = excluded.sentence, last_problem = excluded.last_problem,
          subject_seq = coalesce(excluded.subject_seq, alarm.subject_seq),
          last_seen_at = excluded.last_seen_at, seen_by = excluded.seen_by
      returning alarm.*, xmax = 0 as is_new
    ),
    closed as (
      update alarm set closed_at = clock_timestamp()
      where closed_at is null
        and (code, subject_kind, subject_name) not in (select code, subject_kind, subject_name from true_now)
        and (code, subject_kind, subject_name) not in (select code, subject_kind, subject_name from hearsay)
      returning alarm.*, true as is_new
    )
    select * from (select * from opened union all select * from closed) as changed where is_new
  `;

/** True of a row `n` of `node` that stopped, fell silent, or is not there. */
const isOver = sql`(n.id is null or n.stopped_at is not null
  or n.heartbeat_at < clock_timestamp() - make_interval(secs => ${sql.lit(NODE_LEASE_SECONDS)}))`;

/** When, as sentences say it. */
const instant = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

/**
 * Guards that nobody undoes in the ordinary way: their task has ended or given up, its node is gone, it was taken over
 * after the quiesce, which is the last one where there were several attempts, or it is parked.
 */
const devicesLeftQuiesced = sql`
  select 'DEVICE_LEFT_QUIESCED' as code, 'device' as subject_kind, device_guard.device as subject_name,
    format(
      'Since %s %s is, or may be, quiesced by Stillpoint; it is being set moving again and was not seen running yet.',
      ${instant('device_guard.intended_at')},
      case device_guard.scope->>'kind'
        when 'domain' then format('%s/%s', device_guard.device, device_guard.scope->>'domain')
        else device_guard.device
      end
    ) as sentence,
    device_guard.last_problem, null::integer as subject_seq
  from device_guard
  join task on task.id = device_guard.task_id
  left join journal_subject s on s.id = task.id
  left join node n on n.id = s.node_id
  where device_guard.released_at is null
    and (
      ${isLeft(0)}
      or ${isOver}
      or exists (
        select from journal_fact taken
        where taken.subject_id = task.id and taken.body->>'type' = 'takenOver'
          and taken.seq > (
            select max(asked.seq) from journal_fact asked
            where asked.subject_id = task.id and asked.body->>'type' = 'intended'
              and asked.body->'effect'->>'type' = 'quiesce'
          )
      )
    )`;

const nodesNotHeardOf = sql`
  select 'NODE_NOT_HEARD_OF' as code, 'node' as subject_kind, n.name as subject_name,
    format(
      'The node %s was last heard of at %s and holds %s runs and tasks that have not ended.',
      n.name, ${instant('n.heartbeat_at')}, count(*)
    ) as sentence,
    null::text as last_problem, null::integer as subject_seq
  from node n
  join journal_subject s on s.node_id = n.id and not s.is_ended
  where n.stopped_at is null
    and n.heartbeat_at < clock_timestamp() - make_interval(secs => ${sql.lit(NODE_LEASE_SECONDS)})
  group by n.id`;
