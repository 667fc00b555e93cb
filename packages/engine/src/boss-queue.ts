import type { Kysely } from 'kysely';
import { fromKysely, PgBoss } from 'pg-boss';
import type { EngineTables } from './engine-tables.ts';
import type { TablesTransaction } from './postgres-journal.ts';
import { type Claim, LEASE_SECONDS, type Queue, type QueueEntry } from './queue.ts';

/** How pg-boss reaches the database; it keeps a small pool of its own. */
export type QueueConnection =
  | { readonly connectionString: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string };

/** pg-boss takes no longer one; a job that runs longer is taken over, which its program survives. */
const LONGEST_JOB_SECONDS = 86_399;

/**
 * The queue made real: pg-boss with one job per subject. Its partial unique index is what keeps two jobs of one key from
 * ever being active at once, over all nodes.
 */
export class BossQueue implements Queue<TablesTransaction> {
  readonly #boss: PgBoss;

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
      if ((await this.#boss.getQueue(name)) !== null) continue;
      await this.#boss.createQueue(name, {
        policy: 'key_strict_fifo',
        heartbeatSeconds: LEASE_SECONDS,
        expireInSeconds: LONGEST_JOB_SECONDS,
        // A claim that was lost is taken over at once, however often: the program decides what becomes of the subject.
        retryLimit: 1_000_000,
        retryDelay: 0,
      });
    }
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

  async claim(queue: string, count: number): Promise<Claim[]> {
    const jobs = await this.#boss.fetch(queue, { batchSize: count, includeMetadata: true });
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
