import { type Kysely, sql } from 'kysely';
import type { Orphan, OrphanedGuards } from '../programs/ports.ts';
import type { Tables } from './tables.ts';

/** A node that began with a guard and died leaves it to the others after this long. */
const LEASE_MS = 60_000;

/** The guards of devices, kept in the database. */
export class StoredGuards implements OrphanedGuards {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async claimOrphans(nodeId: string, now: number): Promise<readonly Orphan[]> {
    const rows = await this.#db
      .updateTable('device_guard')
      .from('task')
      .set({ reconciled_by: nodeId, reconciled_until: new Date(now + LEASE_MS) })
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
