import { type Kysely, sql } from 'kysely';
import type { ParkedSubject } from '../programs/parked-subjects.ts';
import { NODE_LEASE_SECONDS } from './stored-nodes.ts';
import type { Tables } from './tables.ts';

/** Any number will do as long as every node uses the same: the letters "alar" as bytes. */
const ADVISORY_LOCK_KEY = 0x616c6172;

/** What another node said is parked is believed for this long; it says so again with each of its looks. */
const HEARSAY_SECONDS = 30;

/**
 * Opens an alarm for everything that is wrong now, and closes those of what is no longer so. One statement, so that a
 * node that dies or freezes holds nothing up; a node that comes while another looks leaves it to that one.
 */
export async function lookForAlarms(
  db: Kysely<Tables>,
  nodeName: string,
  parked: readonly ParkedSubject[],
): Promise<void> {
  await sql`
    with turn as materialized (
      select pg_try_advisory_xact_lock(${ADVISORY_LOCK_KEY}) as is_ours
    ),
    parked as (
      select case s.program when 'run' then 'RUN_PARKED' else 'TASK_PARKED' end as code,
        case s.program when 'run' then 'run' else 'task' end as subject_kind,
        s.id::text as subject_name,
        format('The %s %s does not go on at %s.', s.program, s.id, ${nodeName}::text) as sentence,
        p.problem as last_problem
      from jsonb_to_recordset(${JSON.stringify(parked)}::jsonb) as p("subjectId" uuid, problem text)
      join journal_subject s on s.id = p."subjectId"
      where not s.is_ended
    ),
    hearsay as (
      select a.code, a.subject_kind, a.subject_name
      from alarm a
      join journal_subject s on s.id::text = a.subject_name
      where a.code in ('TASK_PARKED', 'RUN_PARKED') and a.closed_at is null and not s.is_ended
        and a.last_seen_at > clock_timestamp() - make_interval(secs => ${sql.lit(HEARSAY_SECONDS)})
    ),
    true_now as (
      ${devicesLeftQuiesced}
      union all
      ${nodesNotHeardOf}
      union all
      select * from parked
    ),
    opened as (
      insert into alarm (id, code, subject_kind, subject_name, sentence, last_problem, opened_at, last_seen_at)
      select gen_random_uuid(), code, subject_kind, subject_name, sentence, last_problem,
        clock_timestamp(), clock_timestamp()
      from true_now, turn
      where turn.is_ours
      on conflict (code, subject_kind, subject_name) where closed_at is null do update
        set sentence = excluded.sentence, last_problem = excluded.last_problem,
          last_seen_at = excluded.last_seen_at
      returning id
    )
    update alarm set closed_at = clock_timestamp()
    from turn
    where turn.is_ours and alarm.closed_at is null
      and (code, subject_kind, subject_name) not in (select code, subject_kind, subject_name from true_now)
      and (code, subject_kind, subject_name) not in (select code, subject_kind, subject_name from hearsay)
  `.execute(db);
}

/** True of a row `n` of `node` that stopped, fell silent, or is not there. */
const isOver = sql`(n.id is null or n.stopped_at is not null
  or n.heartbeat_at < clock_timestamp() - make_interval(secs => ${sql.lit(NODE_LEASE_SECONDS)}))`;

/** When, as sentences say it. */
const instant = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

/**
 * Guards that nobody undoes in the ordinary way: their task has ended or given up, its node is gone, it was taken over
 * after the quiesce, or it is parked.
 */
const devicesLeftQuiesced = sql`
  select 'DEVICE_LEFT_QUIESCED' as code, 'device' as subject_kind, g.device as subject_name,
    format(
      'Since %s %s is, or may be, quiesced by Stillpoint; it is being set moving again and was not seen running yet.',
      ${instant('g.intended_at')},
      case g.scope->>'kind' when 'domain' then format('%s/%s', g.device, g.scope->>'domain') else g.device end
    ) as sentence,
    g.last_problem
  from device_guard g
  join task t on t.id = g.task_id
  left join journal_subject s on s.id = g.task_id
  left join node n on n.id = s.node_id
  where g.released_at is null
    and (
      g.left_at is not null
      or t.status not in ('WAITING', 'RUNNING')
      or ${isOver}
      or exists (
        select from journal_fact taken
        where taken.subject_id = g.task_id and taken.body->>'type' = 'takenOver'
          and taken.seq > (
            select min(asked.seq) from journal_fact asked
            where asked.subject_id = g.task_id and asked.body->>'type' = 'intended'
              and asked.body->'effect'->>'type' = 'quiesce'
          )
      )
      or exists (
        select from alarm a
        where a.code = 'TASK_PARKED' and a.closed_at is null and a.subject_name = g.task_id::text
      )
    )`;

const nodesNotHeardOf = sql`
  select 'NODE_NOT_HEARD_OF' as code, 'node' as subject_kind, n.name as subject_name,
    format(
      'The node %s was last heard of at %s and holds %s runs and tasks that have not ended.',
      n.name, ${instant('n.heartbeat_at')}, count(*)
    ) as sentence,
    null::text as last_problem
  from node n
  join journal_subject s on s.node_id = n.id and not s.is_ended
  where n.stopped_at is null
    and n.heartbeat_at < clock_timestamp() - make_interval(secs => ${sql.lit(NODE_LEASE_SECONDS)})
  group by n.id`;
