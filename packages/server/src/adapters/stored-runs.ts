import type { RunSpec, RunVerdict } from '@stillpoint/core';
import type { Kysely, Transaction } from 'kysely';
import type { RunRecords } from '../programs/ports.ts';
import type { Tables } from './tables.ts';

/** What a run can be before it has ended. */
export const unfinishedStatuses = ['QUEUED', 'VALIDATING', 'RUNNING'] as const;

/** The runs, kept in the database. */
export class StoredRuns implements RunRecords<Transaction<Tables>> {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async insertRun(trx: Transaction<Tables>, spec: RunSpec): Promise<number> {
    const { number } = await trx
      .insertInto('run')
      .values({
        id: spec.runId,
        plan_name: spec.plan.name,
        spec: JSON.stringify(spec),
        status: 'QUEUED',
        queued_at: new Date(spec.queuedAt),
        reason: null,
        ended_at: null,
      })
      .returning('number')
      .executeTakeFirstOrThrow();
    return number;
  }

  async markRun(trx: Transaction<Tables>, runId: string, status: 'VALIDATING' | 'RUNNING'): Promise<void> {
    await trx.updateTable('run').set({ status }).where('id', '=', runId).execute();
  }

  async haltRun(trx: Transaction<Tables>, runId: string): Promise<void> {
    await trx.updateTable('run').set({ is_halted: true }).where('id', '=', runId).execute();
  }

  async endRun(
    trx: Transaction<Tables>,
    runId: string,
    at: number,
    { status, reason, warnings }: RunVerdict,
  ): Promise<void> {
    await trx
      .updateTable('run')
      .set({
        status,
        reason: reason === null ? null : JSON.stringify(reason),
        warnings: JSON.stringify(warnings),
        ended_at: new Date(at),
      })
      .where('id', '=', runId)
      .execute();
  }

  async areEarlierRunsOver(runId: string): Promise<boolean> {
    const earlier = await this.#db
      .selectFrom('run as own')
      .innerJoin('run as other', 'other.plan_name', 'own.plan_name')
      .select('other.id')
      .where('own.id', '=', runId)
      .whereRef('other.number', '<', 'own.number')
      .where('other.status', 'in', unfinishedStatuses)
      .limit(1)
      .executeTakeFirst();
    return earlier === undefined;
  }

  async isHalted(runId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('run')
      .select('is_halted')
      .where('id', '=', runId)
      .executeTakeFirstOrThrow();
    return row.is_halted;
  }
}
