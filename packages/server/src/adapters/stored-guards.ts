import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import {
  type GuardRecords,
  LONGEST_ORPHAN_PAUSE_MS,
  type NewGuard,
  ORPHAN_LEASE_MS,
  type Orphan,
  type OrphanedGuards,
  type OrphanTry,
} from '../programs/ports.ts';
import { isParked } from './guard-rows.ts';
import type { Tables } from './tables.ts';

/** The guards of devices, kept in the database: an index lets no device have two open ones. */
export class StoredGuards implements GuardRecords<Transaction<Tables>>, OrphanedGuards {
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
      .set({ reconciled_by: null, reconciled_until: null })
      .where('reconciled_by', '=', nodeId)
      .where('released_at', 'is', null)
      .execute();
  }

  claimOrphans(nodeId: string): Promise<readonly Orphan[]> {
    return this.#claim(nodeId, PARKED_SECONDS, isDue);
  }

  async claimOrphan(nodeId: string, guardId: number): Promise<Orphan | null> {
    const [orphan = null] = await this.#claim(nodeId, 0, sql<boolean>`device_guard.id = ${guardId}`);
    return orphan;
  }

  /** Instants that lie ahead of the clock of the database are put back to it: it was put back itself. */
  async #claim(
    nodeId: string,
    parkedSeconds: number,
    isWanted: RawBuilder<boolean>,
  ): Promise<readonly Orphan[]> {
    const { rows } = await sql<Orphan>`
      update device_guard
      set reconciled_by = ${nodeId}, reconciled_until = clock_timestamp() + ${lease},
        left_at = least(coalesce(left_at, clock_timestamp()), clock_timestamp()),
        doubted_at = nullif(least(greatest(doubted_at, sending_at, '-infinity'), clock_timestamp()), '-infinity'),
        sending_at = null
      from task
      where task.id = device_guard.task_id and released_at is null
        and (left_at is not null or task.status not in ('WAITING', 'RUNNING') or ${isParked(parkedSeconds)})
        and (reconciled_until is null or reconciled_until < clock_timestamp()
          or reconciled_until > clock_timestamp() + ${lease})
        and ${isWanted}
      returning device_guard.id as "guardId", device_guard.device, scope, attempts,
        (extract(epoch from clock_timestamp() - greatest(left_at, doubted_at)) * 1000)::float8 as "quietMs"
    `.execute(this.#db);
    return rows;
  }

  async intendUnquiesce(nodeId: string, guardId: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#held(nodeId, guardId)
      .set({ sending_at: sql<Date>`clock_timestamp()` })
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async putOffOrphan(nodeId: string, guardId: number, came: OrphanTry): Promise<void> {
    await this.#held(nodeId, guardId)
      .set({
        reconciled_by: null,
        reconciled_until: null,
        sending_at: null,
        last_problem: came.problem,
        attempts: came.attempts,
        next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs => ${came.pauseMs / 1000})`,
        ...(came.isInDoubt ? { doubted_at: sql<Date>`clock_timestamp()` } : {}),
      })
      .execute();
  }

  async closeOrphan(nodeId: string, guardId: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#held(nodeId, guardId)
      .set({ released_at: sql<Date>`clock_timestamp()`, last_problem: null })
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  #held(nodeId: string, guardId: number) {
    return this.#db
      .updateTable('device_guard')
      .where('id', '=', guardId)
      .where('reconciled_by', '=', nodeId)
      .where('released_at', 'is', null);
  }
}

/** A task that is parked for so long is not waited for. */
const PARKED_SECONDS = 300;

const lease = sql`make_interval(secs => ${sql.lit(ORPHAN_LEASE_MS / 1000)})`;

/** Also when the next try lies further ahead than it ever can: then the clock was put back. */
const isDue = sql<boolean>`(next_attempt_at is null or next_attempt_at <= clock_timestamp()
  or next_attempt_at > clock_timestamp() + make_interval(secs => ${sql.lit(LONGEST_ORPHAN_PAUSE_MS / 1000)}))`;

function openGuardOf(trx: Transaction<Tables>, taskId: string) {
  return trx.updateTable('device_guard').where('task_id', '=', taskId).where('released_at', 'is', null);
}
