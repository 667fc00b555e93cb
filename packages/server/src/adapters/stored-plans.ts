import { completePlan, type UnfinishedRun } from '@stillpoint/core';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { FiresToTell, PlanRecords, PlanToDecide } from '../programs/ports.ts';
import { unfinishedStatuses } from './stored-runs.ts';
import type { Tables } from './tables.ts';

/** More of one plan at once than anybody has started. */
const MOST_UNFINISHED_RUNS = 100;

/** When plans fire next, kept in the database. */
export class StoredPlans implements PlanRecords<Transaction<Tables>> {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async nextDuePlan(trx: Transaction<Tables>, now: number): Promise<PlanToDecide | null> {
    const row = await trx
      .selectFrom('plan')
      .select(['id', 'definition', 'is_planned', 'next_fire_at'])
      .where((plan) => plan.or([plan('is_planned', '=', false), plan('next_fire_at', '<=', new Date(now))]))
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (row === undefined) return null;
    const dueAt = row.is_planned ? (row.next_fire_at?.getTime() ?? null) : null;
    return { planId: row.id, plan: completePlan(row.definition), dueAt };
  }

  async setNextFire(trx: Transaction<Tables>, planId: string, at: number | null): Promise<void> {
    await trx
      .updateTable('plan')
      .set({ next_fire_at: at === null ? null : new Date(at), is_planned: true })
      .where('id', '=', planId)
      .execute();
  }

  async unfinishedRuns(trx: Transaction<Tables>, planName: string): Promise<readonly UnfinishedRun[]> {
    const runs = await trx
      .selectFrom('run')
      .select(['id', 'status'])
      .where('plan_name', '=', planName)
      .where('status', 'in', unfinishedStatuses)
      .orderBy('number')
      .limit(MOST_UNFINISHED_RUNS)
      .execute();
    return runs.map(({ id, status }) => ({ runId: id, isWaiting: status === 'QUEUED' }));
  }

  async tellLeftOut(trx: Transaction<Tables>, planName: string, told: FiresToTell): Promise<void> {
    const { reason, fires, runId } = told;
    const [last_at, noticed_at] = [new Date(told.lastAt), new Date(told.noticedAt)];
    const again =
      runId === null
        ? { numUpdatedRows: 0n }
        : await trx
            .updateTable('left_out_fire')
            .set((row) => ({ fires: row('fires', '+', fires), last_at, noticed_at }))
            .where('plan_name', '=', planName)
            .where('reason', '=', reason)
            .where('run_id', '=', runId)
            .executeTakeFirstOrThrow();
    if (again.numUpdatedRows > 0n) return;
    const first_at = new Date(told.firstAt);
    await trx
      .insertInto('left_out_fire')
      .values({ plan_name: planName, reason, fires, first_at, last_at, noticed_at, run_id: runId })
      .execute();
  }

  async lastScheduledAt(trx: Transaction<Tables>, planName: string): Promise<number | null> {
    const { lastAt } = await trx
      .selectFrom('run')
      .select((run) => run.fn.max('queued_at').as('lastAt'))
      .where('plan_name', '=', planName)
      .where(sql<boolean>`spec->>'trigger' = 'schedule'`)
      .executeTakeFirstOrThrow();
    return lastAt === null ? null : new Date(lastAt).getTime();
  }

  async planIdOf(planName: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('plan')
      .select('id')
      .where('name', '=', planName)
      .executeTakeFirst();
    return row?.id ?? null;
  }
}
