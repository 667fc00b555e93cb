import type { RunSpec } from '@stillpoint/core';
import type { Records } from '@stillpoint/server';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';
import type { RememberedDefinitions } from '../../../packages/server/src/testing/remembered-definitions.ts';
import type { RememberedRows } from '../../../packages/server/src/testing/remembered-rows.ts';

/** Counts which fires of plans have started runs. */
export class FireWatch {
  /** Runs by `plan at instant`. */
  readonly fires = new Map<string, number>();
  /** Scheduled runs that were queued while another run of their plan was going on. */
  overlaps = 0;
  readonly #definitions: RememberedDefinitions;
  readonly #rows: RememberedRows;

  constructor(definitions: RememberedDefinitions, rows: RememberedRows) {
    this.#definitions = definitions;
    this.#rows = rows;
  }

  /** The records of runs, with this looking on. */
  watch(runs: Records<MemoryTransaction>['runs']): Records<MemoryTransaction>['runs'] {
    return {
      markRun: (...args) => runs.markRun(...args),
      haltRun: (...args) => runs.haltRun(...args),
      endRun: (...args) => runs.endRun(...args),
      isHalted: (runId) => runs.isHalted(runId),
      insertRun: async (trx, spec) => {
        if (spec.trigger === 'schedule') trx.stage(() => this.#note(spec));
        return runs.insertRun(trx, spec);
      },
    };
  }

  #note({ plan }: RunSpec): void {
    const fire = `${plan.name} at ${this.#definitions.planRows.get(plan.name)?.nextFireAt}`;
    this.fires.set(fire, (this.fires.get(fire) ?? 0) + 1);
    const isGoing = [...this.#rows.runs.values()].some(
      (run) => run.endedAt === null && run.spec.plan.name === plan.name,
    );
    if (isGoing) this.overlaps += 1;
  }
}
