import { type Channel, noticePolicy, type RunSpec, type RunVerdict } from '@stillpoint/core';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { NoticeContent, RunDigest, TaskProblem } from '../app/notifier.ts';
import { digestOfRun, digestPolicy } from '../programs/digest-of-run.ts';
import {
  type ClaimedNotice,
  type HeartbeatRecords,
  type NoticeClaim,
  type NoticeRecords,
  noticeLeaseMs,
} from '../programs/notice-records.ts';
import type { Tables } from './tables.ts';

/** The notices, kept in the database. */
export class StoredNotices implements NoticeRecords<Transaction<Tables>>, HeartbeatRecords {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async enterDigests(trx: Transaction<Tables>, runId: string, channels: readonly Channel[]): Promise<void> {
    await enterNotices(trx, runId, await digestIn(trx, runId), channels);
  }

  async claimNotices(channels: readonly Channel[]): Promise<readonly ClaimedNotice[]> {
    if (channels.length === 0) return [];
    const { rows } = await sql<Omit<ClaimedNotice, 'createdAt'> & { createdAt: Date }>`
      update notice
      set claim_id = gen_random_uuid(), claimed_until = clock_timestamp() + ${lease}
      where id in (
        select due.id
        from unnest(${channels}::text[]) as wanted (channel),
          lateral (
            select id from notice
            where notice.channel = wanted.channel and state = 'WAITING' and ${isDue}
              and (claimed_until is null or claimed_until < clock_timestamp()
                or claimed_until > clock_timestamp() + ${lease})
              and ${isInOrder}
            order by next_try_at, number
            limit 1
            for update skip locked
          ) as due
      )
      returning id as "noticeId", claim_id as "claimId", channel, content, attempts, created_at as "createdAt",
        greatest(0, extract(epoch from clock_timestamp() - waiting_since) * 1000)::float8 as "waitedMs"
    `.execute(this.#db);
    return rows.map((row) => ({ ...row, createdAt: row.createdAt.getTime() }));
  }

  async endNotice(
    claim: NoticeClaim,
    state: 'DELIVERED' | 'GIVEN_UP',
    problem: string | null,
  ): Promise<void> {
    await held(this.#db, claim)
      .set({
        ...unclaimed,
        state,
        attempts: sql<number>`attempts + 1`,
        ended_at: sql<Date>`clock_timestamp()`,
        ...(problem === null ? {} : { last_problem: problem }),
      })
      .execute();
  }

  async putOffNotice(claim: NoticeClaim, problem: string, pauseMs: number): Promise<void> {
    await held(this.#db, claim)
      .set({
        ...unclaimed,
        attempts: sql<number>`attempts + 1`,
        last_problem: problem,
        next_try_at: sql<Date>`clock_timestamp() + ${seconds(pauseMs)}`,
      })
      .execute();
  }

  async freeNotice(claim: NoticeClaim): Promise<void> {
    await held(this.#db, claim).set(unclaimed).execute();
  }

  async claimHeartbeat(everyMs: number): Promise<boolean> {
    // An instant that lies ahead was written before the clock of the database was put back.
    const { rows } = await sql`
      insert into heartbeat (number, sent_at) values (1, clock_timestamp())
      on conflict (number) do update set sent_at = excluded.sent_at
        where heartbeat.sent_at <= excluded.sent_at - ${seconds(everyMs)}
          or heartbeat.sent_at > excluded.sent_at
      returning number
    `.execute(this.#db);
    return rows.length > 0;
  }

  async tellHeartbeat(problem: string | null): Promise<void> {
    await this.#db
      .updateTable('heartbeat')
      .set({
        last_problem: problem,
        failing_since: problem === null ? null : sql<Date>`coalesce(failing_since, clock_timestamp())`,
      })
      .execute();
  }
}

/** Enters one notice for each channel about a run or an alarm; a channel that has its notice already gets no second. */
export async function enterNotices(
  trx: Transaction<Tables>,
  subjectId: string,
  content: NoticeContent,
  channels: readonly Channel[],
): Promise<void> {
  await sql`
    insert into notice (id, channel, event, subject_id, content, created_at, waiting_since, next_try_at)
    select gen_random_uuid(), channel, ${content.event}, ${subjectId}, ${JSON.stringify(content)}::jsonb,
      clock_timestamp(), clock_timestamp(), clock_timestamp()
    from unnest(${channels}::text[]) as told (channel)
    on conflict (subject_id, event, channel) do nothing
  `.execute(trx);
}

const seconds = (ms: number) => sql`make_interval(secs => ${sql.lit(ms / 1000)})`;

const lease = seconds(noticeLeaseMs);

/** Also when the next try lies further ahead than it ever can: then the clock was put back. */
const isDue = sql<boolean>`(next_try_at <= clock_timestamp()
  or next_try_at > clock_timestamp() + ${seconds(noticePolicy.longestPauseMs)})`;

/** The state is compared outside: inside, it could be looked for among all that waits in place of by the unique index. */
const isInOrder = sql<boolean>`(event != 'ALARM_CLEARED' or (
  select raised.state from notice raised
  where raised.subject_id = notice.subject_id and raised.event = 'ALARM_RAISED' and raised.channel = notice.channel
) is distinct from 'WAITING')`;

const unclaimed = { claim_id: null, claimed_until: null } as const;

function held(db: Kysely<Tables>, { noticeId, claimId }: NoticeClaim) {
  return db.updateTable('notice').where('id', '=', noticeId).where('claim_id', '=', claimId);
}

async function digestIn(trx: Transaction<Tables>, runId: string): Promise<RunDigest> {
  const run = await trx.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirstOrThrow();
  if (run.ended_at === null) throw new Error(`The run ${runId} has not ended, so there is nothing to tell.`);
  const verdict = { status: run.status, reason: run.reason, warnings: run.warnings } as RunVerdict;
  return digestOfRun(
    run.spec as RunSpec,
    verdict,
    run.ended_at.getTime(),
    await countsIn(trx, runId),
    await problemsIn(trx, runId),
  );
}

async function countsIn(trx: Transaction<Tables>, runId: string): Promise<RunDigest['counts']> {
  const of = (status: string) => sql<number>`count(*) filter (where status = ${status})::integer`;
  return trx
    .selectFrom('task')
    .select([
      of('SUCCEEDED').as('succeeded'),
      of('FAILED').as('failed'),
      of('CANCELLED').as('cancelled'),
      of('SKIPPED').as('skipped'),
    ])
    .where('run_id', '=', runId)
    .executeTakeFirstOrThrow();
}

async function problemsIn(trx: Transaction<Tables>, runId: string): Promise<readonly TaskProblem[]> {
  const rows = await trx
    .selectFrom('task')
    .select(['device', 'domain', 'status', 'reason'])
    .where('run_id', '=', runId)
    .where('status', 'in', digestPolicy.order)
    .orderBy(sql`array_position(${[...digestPolicy.order]}::text[], status)`)
    .orderBy('number')
    .limit(digestPolicy.problems)
    .execute();
  return rows.map(({ status, ...row }) => ({ ...row, status: status as TaskProblem['status'] }));
}
