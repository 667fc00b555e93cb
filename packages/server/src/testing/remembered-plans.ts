import type { UnfinishedRun } from '@stillpoint/core';
import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { FiresToTell, PlanRecords, PlanToDecide } from '../programs/ports.ts';
import type { RememberedDefinitions } from './remembered-definitions.ts';
import type { RememberedRows } from './remembered-rows.ts';

const going: readonly string[] = ['QUEUED', 'VALIDATING', 'RUNNING'];

/** For tests: when the plans of remembered definitions fire next, kept in memory. */
export class RememberedPlans implements PlanRecords<MemoryTransaction> {
  readonly #definitions: Pick<RememberedDefinitions, 'planRows'>;
  readonly #rows: Pick<RememberedRows, 'runs' | 'leftOut'>;

  constructor(
    definitions: Pick<RememberedDefinitions, 'planRows'>,
    rows: Pick<RememberedRows, 'runs' | 'leftOut'>,
  ) {
    this.#definitions = definitions;
    this.#rows = rows;
  }

  async nextDuePlan(_trx: MemoryTransaction, now: number): Promise<PlanToDecide | null> {
    for (const { planId, plan, isPlanned, nextFireAt } of this.#definitions.planRows.values()) {
      const isDue = isPlanned && nextFireAt !== null && nextFireAt <= now;
      if (isDue || !isPlanned)
        return { planId, plan: structuredClone(plan), dueAt: isDue ? nextFireAt : null };
    }
    return null;
  }

  async setNextFire(trx: MemoryTransaction, planId: string, at: number | null): Promise<void> {
    trx.stage(() => {
      for (const row of this.#definitions.planRows.values()) {
        if (row.planId === planId) Object.assign(row, { nextFireAt: at, isPlanned: true });
      }
    });
  }

  async unfinishedRuns(_trx: MemoryTransaction, planName: string): Promise<readonly UnfinishedRun[]> {
    return [...this.#rows.runs.values()]
      .filter(({ spec, status }) => spec.plan.name === planName && going.includes(status))
      .toSorted((one, other) => one.number - other.number)
      .map(({ spec, status }) => ({ runId: spec.runId, isWaiting: status === 'QUEUED' }));
  }

  async tellLeftOut(trx: MemoryTransaction, planName: string, told: FiresToTell): Promise<void> {
    trx.stage(() => {
      const { leftOut } = this.#rows;
      const { reason, runId, fires, lastAt, noticedAt } = told;
      const at = leftOut.findIndex(
        (one) => runId !== null && one.planName === planName && one.reason === reason && one.runId === runId,
      );
      const known = leftOut[at];
      if (known === undefined) leftOut.push({ ...told, planName });
      else leftOut[at] = { ...known, fires: known.fires + fires, lastAt, noticedAt };
    });
  }

  async lastScheduledAt(_trx: MemoryTransaction, planName: string): Promise<number | null> {
    const scheduled = [...this.#rows.runs.values()].filter(
      ({ spec }) => spec.plan.name === planName && spec.trigger === 'schedule',
    );
    return scheduled.length === 0 ? null : Math.max(...scheduled.map(({ spec }) => spec.queuedAt));
  }

  async planIdOf(planName: string): Promise<string | null> {
    return this.#definitions.planRows.get(planName)?.planId ?? null;
  }
}
