import { type Kysely, sql, type Transaction } from 'kysely';
import {
  type GuardRecords,
  type NewGuard,
  ORPHAN_LEASE_MS,
  type Orphan,
  type OrphanedGuards,
} from '../programs/ports.ts';
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

  async claimOrphans(nodeId: string, now: number): Promise<readonly Orphan[]> {
    const rows = await this.#db
      .updateTable('device_guard')
      .from('task')
      .set({ reconciled_by: nodeId, reconciled_until: new Date(now + ORPHAN_LEASE_MS) })
      .whereRef('task.id', '=', 'device_guard.task_id')
      .where('task.status', 'not in', ['WAITING', 'RUNNING'])
      .where('released_at', 'is', null)
      .where(
        sql<boolean>`(reconciled_by is null or reconciled_by = ${nodeId} or reconciled_until < ${new Date(now)})`,
      )
      .returning(['device_guard.id as guardId', 'device_guard.device', 'scope', 'task.ended_at'])
      .execute();
    return rows.map(({ ended_at, ...orphan }) => ({ ...orphan, endedAt: ended_at?.getTime() ?? null }));
  }

  async noteProblem(guardId: number, last_problem: string | null): Promise<void> {
    await this.#db.updateTable('device_guard').set({ last_problem }).where('id', '=', guardId).execute();
  }

  async closeOrphan(guardId: number, at: number): Promise<void> {
    await this.#db
      .updateTable('device_guard')
      .set({ released_at: new Date(at), last_problem: null })
      .where('id', '=', guardId)
      .execute();
  }
}

function openGuardOf(trx: Transaction<Tables>, taskId: string) {
  return trx.updateTable('device_guard').where('task_id', '=', taskId).where('released_at', 'is', null);
}
