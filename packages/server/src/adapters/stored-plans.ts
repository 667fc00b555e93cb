import { completePlan } from '@stillpoint/core';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { PlanRecords, PlanToDecide } from '../programs/ports.ts';
import type { Tables } from './tables.ts';

const going: readonly string[] = ['QUEUED', 'VALIDATING', 'RUNNING'];

/** When plans fire next, kept in the database. */
export class StoredPlans implements PlanRecords<Transaction<Tables>> {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async nextDuePlan(trx: Transaction<Tables>, now: number): Promise<PlanToDecide | null> {
    const row = await trx
      .selectFrom('plan')
      .select(['id', 'definition', 'is_planned'])
      .where((plan) => plan.or([plan('is_planned', '=', false), plan('next_fire_at', '<=', new Date(now))]))
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    return row === undefined
      ? null
      : { planId: row.id, plan: completePlan(row.definition), isDue: row.is_planned };
  }

  async setNextFire(trx: Transaction<Tables>, planId: string, at: number | null): Promise<void> {
    await trx
      .updateTable('plan')
      .set({ next_fire_at: at === null ? null : new Date(at), is_planned: true })
      .where('id', '=', planId)
      .execute();
  }

  async hasUnfinishedRun(trx: Transaction<Tables>, planName: string): Promise<boolean> {
    const run = await trx
      .selectFrom('run')
      .select('id')
      .where('plan_name', '=', planName)
      .where('status', 'in', going)
      .executeTakeFirst();
    return run !== undefined;
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
