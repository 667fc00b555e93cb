import type { RunSpec, RunVerdict } from '@stillpoint/core';
import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { RunRecords } from '../programs/ports.ts';
import type { RememberedRows, RememberedRun } from './remembered-rows.ts';

/** For tests: the runs, kept in memory. */
export class RememberedRuns implements RunRecords<MemoryTransaction> {
  readonly #rows: RememberedRows;

  constructor(rows: RememberedRows) {
    this.#rows = rows;
  }

  async insertRun(trx: MemoryTransaction, spec: RunSpec): Promise<number> {
    if (this.#rows.runs.has(spec.runId)) throw new Error(`There is a run ${spec.runId} already: run_pkey.`);
    const number = this.#rows.nextNumber();
    const run: RememberedRun = {
      spec: structuredClone(spec),
      number,
      status: 'QUEUED',
      reason: null,
      warnings: [],
      isHalted: false,
      endedAt: null,
    };
    trx.stage(() => this.#rows.runs.set(spec.runId, run));
    return number;
  }

  async markRun(trx: MemoryTransaction, runId: string, status: 'VALIDATING' | 'RUNNING'): Promise<void> {
    this.#change(trx, runId, { status });
  }

  async haltRun(trx: MemoryTransaction, runId: string): Promise<void> {
    this.#change(trx, runId, { isHalted: true });
  }

  async endRun(trx: MemoryTransaction, runId: string, at: number, verdict: RunVerdict): Promise<void> {
    this.#change(trx, runId, { ...structuredClone(verdict), endedAt: at });
  }

  async areEarlierRunsOver(runId: string): Promise<boolean> {
    const own = this.#rows.runs.get(runId);
    if (own === undefined) throw new Error(`There is no run ${runId}.`);
    return ![...this.#rows.runs.values()].some(
      ({ spec, number, endedAt }) =>
        spec.plan.name === own.spec.plan.name && number < own.number && endedAt === null,
    );
  }

  async isHalted(runId: string): Promise<boolean> {
    const run = this.#rows.runs.get(runId);
    if (run === undefined) throw new Error(`There is no run ${runId}.`);
    return run.isHalted;
  }

  #change(trx: MemoryTransaction, runId: string, change: Partial<RememberedRun>): void {
    trx.stage(() => {
      const run = this.#rows.runs.get(runId);
      if (run !== undefined) Object.assign(run, change);
    });
  }
}
