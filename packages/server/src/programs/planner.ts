import { nextFire, type Parameters, type Plan, parseSchedule, type RunSpec } from '@stillpoint/core';
import type { Clock, Journal } from '@stillpoint/engine';
import type { PlanRecords } from './ports.ts';

/** What a planner works with. */
export type PlannerTools<Transaction> = {
  readonly transact: Journal<Transaction>['transact'];
  readonly plans: PlanRecords<Transaction>;
  readonly parameters: () => Promise<Parameters>;
  readonly hostTimezone: string;
  readonly queueIn: (trx: Transaction, spec: RunSpec) => Promise<void>;
  readonly newId: () => string;
  readonly clock: Pick<Clock, 'now'>;
};

/**
 * Starts the runs of plans that are due. A plan is kept from others while its fire is decided, so a fire starts one run
 * or none, over any number of nodes. Fires that passed while no server was there count as one; a fire while a run of the
 * plan is still going is left out.
 */
export class Planner<Transaction> {
  readonly #tools: PlannerTools<Transaction>;

  constructor(tools: PlannerTools<Transaction>) {
    this.#tools = tools;
  }

  /** One look at all plans; true when a run was queued. */
  async startDueRuns(): Promise<boolean> {
    const { parameters, hostTimezone } = this.#tools;
    const timezone = (await parameters()).timezone ?? hostTimezone;
    let hasQueued = false;
    for (;;) {
      const decided = await this.#decideOne(timezone);
      if (decided === 'nothing due') return hasQueued;
      if (decided === 'queued') hasQueued = true;
    }
  }

  async #decideOne(timezone: string): Promise<'queued' | 'planned' | 'nothing due'> {
    const { transact, plans, clock } = this.#tools;
    return transact(async (trx) => {
      const due = await plans.nextDuePlan(trx, clock.now());
      if (due === null) return 'nothing due';
      const isQueued = due.isDue && (await this.#start(trx, due.plan));
      // A clock that was put back must not bring a fire again that has started a run already.
      const lastAt = due.isDue ? null : await plans.lastScheduledAt(trx, due.plan.name);
      const now = Math.max(clock.now(), lastAt ?? 0);
      await plans.setNextFire(trx, due.planId, fireAfter(due.plan, timezone, now));
      return isQueued ? 'queued' : 'planned';
    });
  }

  async #start(trx: Transaction, plan: Plan): Promise<boolean> {
    const { plans, queueIn, newId, clock } = this.#tools;
    if (await plans.hasUnfinishedRun(trx, plan.name)) return false;
    const spec = {
      runId: newId(),
      plan,
      trigger: 'schedule',
      windowOverrideReason: null,
      queuedAt: clock.now(),
    } as const;
    await queueIn(trx, spec);
    return true;
  }
}

/** Null for a plan that does not fire by itself: disabled, without a schedule, or with one whose last fire has passed. */
function fireAfter(plan: Plan, timezone: string, now: number): number | null {
  if (!plan.isEnabled || plan.schedule === null) return null;
  const schedule = parseSchedule(plan.schedule, plan.timezone ?? timezone, now);
  return 'kind' in schedule ? null : nextFire(schedule, now);
}
