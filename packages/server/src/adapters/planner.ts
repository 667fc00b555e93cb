import { nextFire, type Parameters, type Plan, parseSchedule, type RunSpec } from '@stillpoint/core';
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** What a planner works with. */
export type PlannerTools = {
  readonly db: Kysely<Tables>;
  readonly parameters: () => Promise<Parameters>;
  readonly hostTimezone: string;
  readonly queueIn: (trx: Transaction<Tables>, spec: RunSpec) => Promise<void>;
  readonly newRunId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

const going: readonly string[] = ['QUEUED', 'VALIDATING', 'RUNNING'];

/**
 * Starts the runs of plans that are due. A plan's row is locked while its fire is decided, so a fire starts one run or
 * none, over any number of nodes. Fires that passed while no server was there count as one; a fire while a run of the
 * plan is still going is left out.
 */
export class Planner {
  readonly #tools: PlannerTools;

  constructor(tools: PlannerTools) {
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
    const { db, now } = this.#tools;
    return db.transaction().execute(async (trx) => {
      const row = await trx
        .selectFrom('plan')
        .select(['id', 'definition', 'is_planned'])
        .where((plan) =>
          plan.or([plan('is_planned', '=', false), plan('next_fire_at', '<=', new Date(now()))]),
        )
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      if (row === undefined) return 'nothing due';
      const isQueued = row.is_planned && (await this.#start(trx, row.definition));
      const next_fire_at = fireAfter(row.definition, timezone, now());
      await trx
        .updateTable('plan')
        .set({ next_fire_at, is_planned: true })
        .where('id', '=', row.id)
        .execute();
      return isQueued ? 'queued' : 'planned';
    });
  }

  async #start(trx: Transaction<Tables>, plan: Plan): Promise<boolean> {
    const { queueIn, newRunId, now } = this.#tools;
    const unfinished = await trx
      .selectFrom('run')
      .select('id')
      .where('plan_name', '=', plan.name)
      .where('status', 'in', going)
      .executeTakeFirst();
    if (unfinished !== undefined) return false;
    const spec = {
      runId: newRunId(),
      plan,
      trigger: 'schedule',
      windowOverrideReason: null,
      queuedAt: now(),
    } as const;
    await queueIn(trx, spec);
    return true;
  }
}

/** Null for a plan that does not fire by itself: disabled, without a schedule, or with one whose last fire has passed. */
function fireAfter(plan: Plan, timezone: string, now: number): Date | null {
  if (!plan.isEnabled || plan.schedule === null) return null;
  const schedule = parseSchedule(plan.schedule, plan.timezone ?? timezone, now);
  const at = 'kind' in schedule ? null : nextFire(schedule, now);
  return at === null ? null : new Date(at);
}
