import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { PlanRecords, PlanToDecide } from '../programs/ports.ts';
import type { RememberedDefinitions } from './remembered-definitions.ts';
import type { RememberedRows } from './remembered-rows.ts';

const going: readonly string[] = ['QUEUED', 'VALIDATING', 'RUNNING'];

/** For tests: when the plans of remembered definitions fire next, kept in memory. */
export class RememberedPlans implements PlanRecords<MemoryTransaction> {
  readonly #definitions: Pick<RememberedDefinitions, 'planRows'>;
  readonly #rows: Pick<RememberedRows, 'runs'>;

  constructor(definitions: Pick<RememberedDefinitions, 'planRows'>, rows: Pick<RememberedRows, 'runs'>) {
    this.#definitions = definitions;
    this.#rows = rows;
  }

  async nextDuePlan(_trx: MemoryTransaction, now: number): Promise<PlanToDecide | null> {
    for (const { planId, plan, isPlanned, nextFireAt } of this.#definitions.planRows.values()) {
      const isDue = isPlanned && nextFireAt !== null && nextFireAt <= now;
      if (isDue || !isPlanned) return { planId, plan: structuredClone(plan), isDue };
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

  async hasUnfinishedRun(_trx: MemoryTransaction, planName: string): Promise<boolean> {
    return [...this.#rows.runs.values()].some(
      ({ spec, status }) => spec.plan.name === planName && going.includes(status),
    );
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
