import {
  type DueFires,
  decideFires,
  dueFires,
  nextFire,
  type Parameters,
  type Plan,
  parseSchedule,
  type RunSpec,
  type Schedule,
} from '@stillpoint/core';
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
 * Starts the runs of plans that are due. A plan is kept from others while its fires are decided, so a fire starts one run
 * or none, over any number of nodes; what becomes of fires that were missed, or that come while a run of the plan is going,
 * the plan says. Every fire that starts no run is told.
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
      const now = clock.now();
      const due = await plans.nextDuePlan(trx, now);
      if (due === null) return 'nothing due';
      const { planId, plan, dueAt } = due;
      const schedule = scheduleOf(plan, timezone, now);
      const fires = dueAt === null ? null : dueFires(schedule, dueAt, now);
      const isQueued = fires !== null && (await this.#decide(trx, plan, fires, now));
      // A clock that was put back must not bring a fire again that has started a run already.
      const lastAt = dueAt === null ? await plans.lastScheduledAt(trx, plan.name) : null;
      const next = schedule === null ? null : nextFire(schedule, Math.max(now, lastAt ?? 0));
      await plans.setNextFire(trx, planId, next);
      return isQueued ? 'queued' : 'planned';
    });
  }

  /** True when a run was queued. */
  async #decide(trx: Transaction, plan: Plan, fires: DueFires, now: number): Promise<boolean> {
    const { plans, queueIn, newId } = this.#tools;
    const unfinished = await plans.unfinishedRuns(trx, plan.name);
    const { startsRun, leftOut } = decideFires(plan, fires, unfinished);
    const runId = startsRun ? newId() : null;
    if (runId !== null) {
      const spec = { runId, plan, trigger: 'schedule', windowOverrideReason: null, queuedAt: now } as const;
      await queueIn(trx, spec);
    }
    const runs = { started: runId, going: unfinished[0]?.runId ?? null };
    for (const { instead, ...told } of leftOut) {
      const insteadId = instead === null ? null : runs[instead];
      await plans.tellLeftOut(trx, plan.name, { ...told, noticedAt: now, runId: insteadId });
    }
    return startsRun;
  }
}

/** Null for a plan that does not fire by itself: disabled, without a schedule, or with one that never fires again. */
function scheduleOf(plan: Plan, timezone: string, now: number): Schedule | null {
  if (!plan.isEnabled || plan.schedule === null) return null;
  const schedule = parseSchedule(plan.schedule, plan.timezone ?? timezone, now);
  return 'kind' in schedule ? null : schedule;
}
