import { type RunCommand, type RunSpec, reasonOf } from '@stillpoint/core';
import type { Engine } from '@stillpoint/engine';
import type { Kysely, Transaction } from 'kysely';
import type { Runs } from '../app/ports.ts';
import { RUN_PROGRAM } from './run-program.ts';
import type { Tables } from './tables.ts';

/** Runs as the engine drives them. */
export class QueuedRuns implements Runs {
  readonly #db: Kysely<Tables>;
  readonly #engine: Engine;

  constructor(db: Kysely<Tables>, engine: Engine) {
    this.#db = db;
    this.#engine = engine;
  }

  async queue(spec: RunSpec): Promise<void> {
    await this.#db.transaction().execute((trx) => this.queueIn(trx, spec));
    this.#engine.lookForWork();
  }

  /** Puts a run into the queue in a transaction of the caller's. */
  async queueIn(trx: Transaction<Tables>, spec: RunSpec): Promise<void> {
    const { runId, plan, queuedAt } = spec;
    const { number } = await trx
      .insertInto('run')
      .values({
        id: runId,
        plan_name: plan.name,
        spec: JSON.stringify(spec),
        status: 'QUEUED',
        queued_at: new Date(queuedAt),
        reason: null,
        ended_at: null,
      })
      .returning('number')
      .executeTakeFirstOrThrow();
    await this.#engine.create(trx, RUN_PROGRAM, [{ id: runId, spec }]);
    await this.#engine.enqueue(trx, RUN_PROGRAM, [{ subjectId: runId, key: runId, order: number }]);
  }

  cancel(id: string): Promise<boolean> {
    const reason = reasonOf('EXECUTION_CANCELED_BY_OPERATOR', 'An operator cancelled the run.');
    return this.#engine.tell(id, { type: 'cancel', reason } satisfies RunCommand);
  }
}
