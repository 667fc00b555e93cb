import { type RunCommand, type RunSpec, reasonOf, type TaskCommand } from '@stillpoint/core';
import type { Engine } from '@stillpoint/engine';
import type { Runs } from '../app/ports.ts';
import type { RunRecords } from './ports.ts';
import { RUN_PROGRAM } from './run-program.ts';

/** Runs as the engine drives them. */
export class QueuedRuns<Transaction> implements Runs {
  readonly #records: RunRecords<Transaction>;
  readonly #engine: Engine<Transaction>;

  constructor(records: RunRecords<Transaction>, engine: Engine<Transaction>) {
    this.#records = records;
    this.#engine = engine;
  }

  async queue(spec: RunSpec): Promise<void> {
    await this.#engine.transact((trx) => this.queueIn(trx, spec));
    this.#engine.lookForWork();
  }

  /** Puts a run into the queue in a transaction of the caller's. */
  async queueIn(trx: Transaction, spec: RunSpec): Promise<void> {
    const { runId } = spec;
    const order = await this.#records.insertRun(trx, spec);
    await this.#engine.create(trx, RUN_PROGRAM, [{ id: runId, spec }]);
    await this.#engine.enqueue(trx, RUN_PROGRAM, [{ subjectId: runId, key: runId, order }]);
  }

  cancel(id: string): Promise<boolean> {
    const reason = reasonOf('EXECUTION_CANCELED_BY_OPERATOR', 'An operator cancelled the run.');
    return this.#engine.tell(id, { type: 'cancel', reason } satisfies RunCommand);
  }

  cancelTask(id: string): Promise<boolean> {
    const reason = reasonOf('EXECUTION_CANCELED_BY_OPERATOR', 'An operator had the device unquiesced.');
    const command: TaskCommand = { type: 'cancel', status: 'CANCELLED', sparesStarted: false, reason };
    return this.#engine.tell(id, command);
  }
}
