import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { orphanPolicy } from '../programs/orphan-policy.ts';
import type {
  GuardRecords,
  NewGuard,
  Orphan,
  OrphanClaim,
  OrphanedGuards,
  OrphanTry,
} from '../programs/ports.ts';
import { isLeft } from './left-guards.ts';
import type { Tables } from './tables.ts';

/** The guards of devices, kept in the database: an index lets no device have two open ones. */
export class StoredGuards implements GuardRecords<Transaction<Tables>>, OrphanedGuards<Transaction<Tables>> {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async openGuard(trx: Transaction<Tables>, { device, taskId, scope, intendedAt }: NewGuard): Promise<void> {
    await trx
      .insertInto('device_guard')
      .values({ device, task_id: taskId, scope: JSON.stringify(scope), intended_at: new Date(intendedAt) })
      .execute();
  }

  async markQuiesced(trx: Transaction<Tables>, taskId: string, at: number): Promise<void> {
    await openGuardOf(trx, taskId)
      .set({ quiesced_at: new Date(at) })
      .execute();
  }

  async markRequest(trx: Transaction<Tables>, taskId: string, isUnderWay: boolean): Promise<void> {
    await openGuardOf(trx, taskId)
      .set({ doubted_at: sql<Date>`clock_timestamp() + ${isUnderWay ? underWay : sql`interval '0'`}` })
      .execute();
  }

  async closeGuard(trx: Transaction<Tables>, taskId: string, at: number): Promise<void> {
    await openGuardOf(trx, taskId)
      .set({ released_at: new Date(at) })
      .execute();
  }

  async leaveGuard(trx: Transaction<Tables>, taskId: string): Promise<void> {
    await openGuardOf(trx, taskId)
      .set({ left_at: sql<Date>`coalesce(left_at, clock_timestamp())` })
      .execute();
  }

  async isGuardedByOther(device: string, taskId: string): Promise<boolean> {
    const guard = await this.#db
      .selectFrom('device_guard')
      .select('id')
      .where('device', '=', device)
      .where('released_at', 'is', null)
      .where('task_id', '!=', taskId)
      .executeTakeFirst();
    return guard !== undefined;
  }

  async freeOrphans(nodeId: string): Promise<void> {
    await this.#db
      .updateTable('device_guard')
      .set(unclaimed)
      .where('reconciled_by', '=', nodeId)
      .where('released_at', 'is', null)
      .execute();
  }

  claimOrphans(nodeId: string, inHand: readonly number[]): Promise<readonly Orphan[]> {
    const isWanted = sql<boolean>`${isDue} and device_guard.id != all (${inHand}::bigint[])`;
    return this.#claim(nodeId, orphanPolicy.parkedMs, isWanted);
  }

  async claimOrphan(nodeId: string, guardId: number): Promise<Orphan | null> {
    const [orphan = null] = await this.#claim(nodeId, 0, sql<boolean>`device_guard.id = ${guardId}`);
    return orphan;
  }

  /** Instants that lie further ahead of the clock of the database than they can are put back: it was put back itself. */
  async #claim(nodeId: string, parkedMs: number, isWanted: RawBuilder<boolean>): Promise<readonly Orphan[]> {
    const { rows } = await sql<Orphan>`
      update device_guard
      set reconciled_by = ${nodeId}, reconciled_until = clock_timestamp() + ${lease}, claim_id = gen_random_uuid(),
        left_at = least(coalesce(left_at, clock_timestamp()), clock_timestamp()),
        doubted_at = nullif(
          least(greatest(doubted_at, sending_at + ${underWay}, '-infinity'), clock_timestamp() + ${underWay}),
          '-infinity'
        ),
        sending_at = null
      from task
      where task.id = device_guard.task_id and released_at is null
        and ${isLeft(parkedMs)}
        and (reconciled_until is null or reconciled_until < clock_timestamp()
          or reconciled_until > clock_timestamp() + ${lease})
        and ${isWanted}
      returning device_guard.id as "guardId", claim_id as "claimId", task_id as "taskId", device_guard.device, scope,
        attempts, last_problem as problem,
        (extract(epoch from clock_timestamp() - greatest(left_at, doubted_at)) * 1000)::float8 as "quietMs"
    `.execute(this.#db);
    return rows;
  }

  async intendUnquiesce(claim: OrphanClaim): Promise<boolean> {
    const { numUpdatedRows } = await held(this.#db, claim)
      .set({ sending_at: sql<Date>`clock_timestamp()` })
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async putOffOrphan(claim: OrphanClaim, came: OrphanTry): Promise<void> {
    await held(this.#db, claim)
      .set({
        ...unclaimed,
        sending_at: null,
        last_problem: came.problem,
        attempts: came.attempts,
        next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs => ${came.pauseMs / 1000})`,
        ...(came.isInDoubt ? { doubted_at: sql<Date>`clock_timestamp()` } : {}),
      })
      .execute();
  }

  async closeOrphan(trx: Transaction<Tables>, claim: OrphanClaim, settleMs: number): Promise<boolean> {
    // First the task, as whoever writes a fact of it does: in another order the two could wait for each other.
    await sql`
      select from journal_subject
      where id = (select task_id from device_guard where id = ${claim.guardId}) for update
    `.execute(trx);
    const { numUpdatedRows } = await held(trx, claim)
      .set({ ...unclaimed, released_at: sql<Date>`clock_timestamp()`, last_problem: null })
      .where(
        // What was seen was seen after the claim: nothing may have been under way since `settleMs` before it.
        sql<boolean>`greatest(left_at, doubted_at)
          <= reconciled_until - ${lease} - make_interval(secs => ${settleMs / 1000})`,
      )
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }
}

const seconds = (ms: number) => sql`make_interval(secs => ${sql.lit(ms / 1000)})`;

const lease = seconds(orphanPolicy.leaseMs);
const underWay = seconds(orphanPolicy.underWayMs);

/** Also when the next try lies further ahead than it ever can: then the clock was put back. */
const isDue = sql<boolean>`(next_attempt_at is null or next_attempt_at <= clock_timestamp()
  or next_attempt_at > clock_timestamp() + ${seconds(orphanPolicy.longestPauseMs)})`;

const unclaimed = { reconciled_by: null, reconciled_until: null, claim_id: null } as const;

function held(db: Kysely<Tables>, { guardId, claimId }: OrphanClaim) {
  return db
    .updateTable('device_guard')
    .where('id', '=', guardId)
    .where('claim_id', '=', claimId)
    .where('released_at', 'is', null);
}

function openGuardOf(trx: Transaction<Tables>, taskId: string) {
  return trx.updateTable('device_guard').where('task_id', '=', taskId).where('released_at', 'is', null);
}
