import type { Kysely } from 'kysely';
import { fromKysely, PgBoss } from 'pg-boss';
import type { EngineTables } from './engine-tables.ts';
import type { TablesTransaction } from './postgres-journal.ts';
import { type Claim, LEASE_SECONDS, type Queue, type QueueEntry } from './queue.ts';

/** How pg-boss reaches the database; it keeps a small pool of its own. */
export type QueueConnection =
  | { readonly connectionString: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string };

const SCHEMA = 'pgboss';

/** What all our queues are like; brought up to date at every start, for queues outlive versions. */
const queueOptions = {
  heartbeatSeconds: LEASE_SECONDS,
  // pg-boss takes no longer one; a job that runs longer is taken over, which its program survives.
  expireInSeconds: 86_399,
  // A claim that was lost is taken over at once, however often: the program decides what becomes of the subject.
  retryLimit: 1_000_000,
  retryDelay: 0,
  // What waits is never thrown away, however long no node was there: ten years, since there is no "never".
  retentionSeconds: 315_360_000,
  // What has ended is in the journal.
  deleteAfterSeconds: 600,
};

/** Of jobs that were claimed before; all others have a priority of zero or less. */
const BEGUN_PRIORITY = 1;

/** Less is the noise of asking. */
const CLOCK_STEP_MS = 1_000;

/**
 * The queue made real: pg-boss with one job per subject. Its partial unique index is what keeps two jobs of one key from
 * ever being active at once, over all nodes.
 */
export class BossQueue implements Queue<TablesTransaction> {
  readonly #boss: PgBoss;
  #queues: readonly string[] = [];
  /** How far the database's clock was ahead of this process's steady one when it was last read. */
  #clockAheadMs = Number.NEGATIVE_INFINITY;

  constructor(connection: QueueConnection, onError: (error: Error) => void) {
    this.#boss = new PgBoss({
      ...connection,
      max: 4,
      schedule: false,
      superviseIntervalSeconds: 2,
      monitorIntervalSeconds: 2,
    });
    this.#boss.on('error', onError);
  }

  async start(queues: readonly string[]): Promise<void> {
    await this.#boss.start();
    for (const name of queues) {
      if ((await this.#boss.getQueue(name)) !== null) await this.#boss.updateQueue(name, queueOptions);
      else await this.#boss.createQueue(name, { policy: 'key_strict_fifo', ...queueOptions });
    }
    this.#queues = queues;
    await this.#boss.getDb().executeSql(
      `update ${SCHEMA}.job set keep_until = now() + make_interval(secs => $2)
       where name = any($1) and state <= 'active' and keep_until < now() + make_interval(secs => $2 / 2)`,
      [queues, queueOptions.retentionSeconds],
    );
    await this.#takeBackStamps();
    await this.tend();
  }

  async tend(): Promise<void> {
    const db = this.#boss.getDb();
    const askedAt = performance.now();
    const { rows } = await db.executeSql(
      `with begun as (
         update ${SCHEMA}.job set priority = $2 where name = any($1) and state = 'retry' and priority < $2
       )
       select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`,
      [this.#queues, BEGUN_PRIORITY],
    );
    const aheadMs = (rows[0] as { now_ms: number }).now_ms - askedAt;
    const isPutBack = aheadMs < this.#clockAheadMs - CLOCK_STEP_MS;
    this.#clockAheadMs = aheadMs;
    if (isPutBack) await this.#takeBackStamps();
  }

  /**
   * Stamps of a database whose clock was put back lie ahead: until it catches up, pg-boss would give out nothing that was
   * queued before, and look for no claim that was lost.
   */
  async #takeBackStamps(): Promise<void> {
    const db = this.#boss.getDb();
    await db.executeSql(
      `update ${SCHEMA}.queue set ${notAhead('monitor_on', 'monitor_claim_on', 'maintain_on')}
       where name = any($1) and greatest(monitor_on, monitor_claim_on, maintain_on) > now()`,
      [this.#queues],
    );
    await db.executeSql(
      `update ${SCHEMA}.job set ${notAhead('heartbeat_on', 'started_on')}, start_after = ${startNotAhead}
       where name = any($1) and state <= 'active' and greatest(start_after, heartbeat_on, started_on) > now()`,
      [this.#queues],
    );
  }

  async enqueue(trx: TablesTransaction, queue: string, entries: readonly QueueEntry[]): Promise<void> {
    const jobs = entries.map(({ subjectId, key, order }) => ({
      id: subjectId,
      singletonKey: key,
      // The fetch goes by priority first: the lowest number, whatever its key, starts first.
      priority: -order,
    }));
    await this.#boss.insert(queue, jobs, { db: fromKysely(trx as Kysely<EngineTables>) });
  }

  async claim(queue: string, count: number, which: 'any' | 'begun'): Promise<Claim[]> {
    const jobs = await this.#boss.fetch(queue, {
      batchSize: count,
      includeMetadata: true,
      ...(which === 'begun' ? { minPriority: BEGUN_PRIORITY } : {}),
    });
    return jobs.map(({ id, retryCount }) => ({ queue, subjectId: id, attempt: retryCount }));
  }

  async renew(claims: readonly Claim[]): Promise<Claim[]> {
    const [first] = claims;
    if (first === undefined) return [];
    const answer = await this.#boss.touch(first.queue, claims.map(attemptOf));
    // pg-boss answers the ids it touched and leaves them out of its published types.
    const kept = new Set((answer as { readonly settled?: readonly string[] }).settled);
    return claims.filter(({ subjectId }) => kept.has(subjectId));
  }

  async complete(claim: Claim): Promise<void> {
    await this.#boss.complete(claim.queue, attemptOf(claim));
  }

  async release(claim: Claim): Promise<void> {
    await this.#boss.fail(claim.queue, attemptOf(claim));
  }

  async putOff(trx: TablesTransaction, claim: Claim, afterMs: number): Promise<void> {
    // A state of "retry" would block the key, and a priority of what was begun would have it claimed by nodes that drain.
    await fromKysely(trx as Kysely<EngineTables>).executeSql(
      `update ${SCHEMA}.job set state = 'created', priority = least(priority, 0), heartbeat_on = null,
         start_after = now() + $4 * interval '1 millisecond', data = jsonb_build_object('putOffMs', $4::bigint)
       where name = $1 and id = $2 and state = 'active' and retry_count = $3`,
      [claim.queue, claim.subjectId, claim.attempt, afterMs],
    );
  }

  async releaseDead(queue: string, subjectIds: readonly string[]): Promise<void> {
    if (subjectIds.length > 0) await this.#boss.fail(queue, [...subjectIds]);
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: true });
  }
}

const attemptOf = ({ subjectId, attempt }: Claim): { id: string; retryCount: number } => ({
  id: subjectId,
  retryCount: attempt,
});

/** What was put off waits for as long as it was put off at most; one that was claimed since does not wait any more. */
const startNotAhead = `case when start_after <= now() then start_after
  when state = 'created' then least(start_after, now() + coalesce((data->>'putOffMs')::bigint, 0) * interval '1 millisecond')
  else now() end`;

/** What is not stamped yet stays so. */
const notAhead = (...columns: readonly string[]): string =>
  columns.map((column) => `${column} = case when ${column} > now() then now() else ${column} end`).join(', ');
