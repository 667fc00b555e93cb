import { MOST_FIRES_COUNTED, nextFire, type Plan, parseSchedule, type RunSpec } from '@stillpoint/core';
import type { Records } from '@stillpoint/server';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';
import type { RememberedRows, RememberedRun } from '../../../packages/server/src/testing/remembered-rows.ts';

type Watched = Pick<Records<MemoryTransaction>, 'runs' | 'plans'>;

/** What one look at a plan came to, gathered while its transaction goes on. */
type Decision = {
  readonly plan: Plan;
  readonly dueAt: number;
  readonly now: number;
  readonly runs: RunSpec[];
  /** Fires that were left out, and told. */
  told: number;
};

/** What a plan's policies say is missed. */
const TOLERANCE_MS = 5 * 60_000;

/** Judges which fires of plans have started runs, by what is in the rows and not by what planners were told. */
export class FireWatch {
  /** Runs by `plan at instant`; a run stands for every fire that it makes up for. */
  readonly fires = new Map<string, number>();
  /** Fires that started no run, and were told. */
  leftOut = 0;
  /** The first thing that was not as the policies of its plan say. */
  broken: { readonly invariant: 'R-09' | 'R-14'; readonly detail: string } | null = null;
  readonly #rows: RememberedRows;
  readonly #decisions = new WeakMap<MemoryTransaction, Decision>();

  constructor(rows: RememberedRows) {
    this.#rows = rows;
  }

  /** The records of runs and plans, with this looking on. */
  watch<Whole extends Watched>(records: Whole): Whole {
    return { ...records, runs: this.#watchRuns(records.runs), plans: this.#watchPlans(records.plans) };
  }

  #watchRuns(runs: Watched['runs']): Watched['runs'] {
    return overridden(runs, {
      insertRun: async (trx, spec) => {
        if (spec.trigger === 'schedule') this.#decisions.get(trx)?.runs.push(spec);
        return runs.insertRun(trx, spec);
      },
      markRun: async (trx, runId, status) => {
        if (status === 'VALIDATING') trx.stage(() => this.#judgeBegin(runId));
        return runs.markRun(trx, runId, status);
      },
    });
  }

  #watchPlans(plans: Watched['plans']): Watched['plans'] {
    return overridden(plans, {
      nextDuePlan: async (trx, now) => {
        const due = await plans.nextDuePlan(trx, now);
        if (due !== null && due.dueAt !== null)
          this.#decisions.set(trx, { plan: due.plan, dueAt: due.dueAt, now, runs: [], told: 0 });
        return due;
      },
      tellLeftOut: async (trx, planName, told) => {
        const decision = this.#decisions.get(trx);
        if (decision !== undefined) decision.told += told.fires;
        return plans.tellLeftOut(trx, planName, told);
      },
      setNextFire: async (trx, planId, at) => {
        const decision = this.#decisions.get(trx);
        if (decision !== undefined) trx.stage(() => this.#judge(decision));
        return plans.setNextFire(trx, planId, at);
      },
    });
  }

  #judge(decision: Decision): void {
    const { plan, dueAt, now, runs, told } = decision;
    this.leftOut += told;
    const fires = firesOf(decision);
    const lastAt = fires?.at(-1) ?? dueAt;
    const at = `${plan.name} at ${new Date(dueAt).toISOString()}`;
    const others = this.#unfinished(plan.name).filter(
      ({ spec }) => !runs.includes(spec) && !isOf(runs, spec),
    );
    const isTimely = now - lastAt <= TOLERANCE_MS;
    const isWanted = isTimely || plan.missedRuns === 'once';
    if (runs.length > 1) this.#say('R-09', `${at} has started ${runs.length} runs at once`);
    if (runs.length > 0) {
      for (const fire of fires ?? [dueAt]) this.#note(`${plan.name} at ${fire}`);
      if (fires !== null && !isWanted)
        this.#say('R-09', `${at} was missed, is to be left out, and started a run`);
      if (others.length > 0 && plan.overlap === 'skip')
        this.#say('R-14', `${at} started a run while another one of its plan was going on`);
      if (others.some(({ status }) => status === 'QUEUED'))
        this.#say('R-14', `${at} queued a run while another one of its plan was waiting`);
    } else if (fires !== null && isWanted && others.length === 0) {
      this.#say('R-09', `${at} started no run, and nothing was in its way`);
    }
    if (fires !== null && told + runs.length !== fires.length)
      this.#say('R-09', `of the ${fires.length} fires of ${at}, ${told} are told to be left out`);
  }

  /** A fire that was queued begins when nothing before it is going on. */
  #judgeBegin(runId: string): void {
    const run = this.#rows.runs.get(runId);
    if (run === undefined || run.spec.trigger !== 'schedule' || run.spec.plan.overlap !== 'queue') return;
    const earlier = this.#unfinished(run.spec.plan.name).find(({ number }) => number < run.number);
    if (earlier !== undefined)
      this.#say(
        'R-14',
        `${runId} began while ${earlier.spec.runId}, which was queued before it, was going on`,
      );
  }

  #unfinished(planName: string): RememberedRun[] {
    return [...this.#rows.runs.values()].filter(
      ({ endedAt, spec }) => endedAt === null && spec.plan.name === planName,
    );
  }

  #note(fire: string): void {
    const runs = (this.fires.get(fire) ?? 0) + 1;
    this.fires.set(fire, runs);
    if (runs > 1) this.#say('R-09', `${fire} has started ${runs} runs`);
  }

  #say(invariant: 'R-09' | 'R-14', detail: string): void {
    this.broken ??= { invariant, detail };
  }
}

const isOf = (runs: readonly RunSpec[], { runId }: RunSpec): boolean =>
  runs.some((one) => one.runId === runId);

/** The fires that a look decided on; null where the zone may have changed meanwhile, or when there are too many. */
function firesOf({ plan, dueAt, now }: Decision): number[] | null {
  if (plan.timezone === null || plan.schedule === null) return null;
  const schedule = parseSchedule(plan.schedule, plan.timezone, dueAt - 1);
  if ('kind' in schedule) return null;
  const fires: number[] = [];
  for (let at: number | null = dueAt; at !== null && at <= now; at = nextFire(schedule, at)) {
    if (fires.length === MOST_FIRES_COUNTED) return null;
    fires.push(at);
  }
  return fires;
}

function overridden<Port extends object>(port: Port, changes: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const own = Reflect.get(changes, name);
      if (own !== undefined) return own;
      const found = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}
