import type { Plan, RunSpec, RunVerdict, TaskCounts, TaskSpec, TaskVerdict } from '@stillpoint/core';
import type { NewTask, Records, TaskBackup } from '@stillpoint/server';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';
import type { MemoryJournal } from '../../../packages/engine/src/testing/memory-journal.ts';
import { MemoryGuards } from './memory-guards.ts';

/** A run as it is kept. */
export type RunRow = {
  readonly spec: RunSpec;
  readonly number: number;
  status: 'QUEUED' | 'VALIDATING' | 'RUNNING' | RunVerdict['status'];
  verdict: RunVerdict | null;
  isHalted: boolean;
};

/** A task as it is kept. */
export type TaskRow = {
  readonly spec: TaskSpec;
  readonly number: number;
  status: 'WAITING' | 'RUNNING' | TaskVerdict['status'];
  verdict: TaskVerdict | null;
};

/** A plan as it is kept, with its next fire. */
export type PlanRow = { readonly id: string; plan: Plan; nextFireAt: number | null; isPlanned: boolean };

/** What programs record, in memory, with the behaviour of the real tables. */
export class MemoryRecords {
  readonly runs = new Map<string, RunRow>();
  readonly tasks = new Map<string, TaskRow>();
  readonly plans = new Map<string, PlanRow>();
  readonly backups = new Map<string, TaskBackup>();
  /** Those that nobody has looked at yet. */
  readonly newBackups: TaskBackup[] = [];
  readonly guards: MemoryGuards;
  /** Fires of plans that have started a run, as `plan at instant`. */
  readonly fires = new Map<string, number>();
  /** Scheduled runs that were queued while another run of their plan was going on. */
  overlaps = 0;
  /** Tasks that do not go on, and since when. */
  readonly parked = new Map<string, number>();
  readonly #journal: MemoryJournal;
  readonly #tasksOfRun = new Map<string, TaskRow[]>();
  #number = 0;

  constructor(journal: MemoryJournal, now: () => number) {
    this.#journal = journal;
    this.guards = new MemoryGuards(
      now,
      (taskId) => !isGoing(this.tasks.get(taskId)),
      (taskId) => this.parked.get(taskId) ?? null,
    );
  }

  tasksOf(runId: string): readonly TaskRow[] {
    return this.#tasksOfRun.get(runId) ?? [];
  }

  /** Keeps a plan, new or changed; the planner works out its next fire. */
  keepPlan(plan: Plan): void {
    const id = this.plans.get(plan.name)?.id ?? `plan-${this.plans.size + 1}`;
    this.plans.set(plan.name, { id, plan, nextFireAt: null, isPlanned: false });
  }

  /** All of it, as the programs know it. */
  get face(): Records<MemoryTransaction> {
    return {
      runs: this.#runRecords,
      tasks: this.#taskRecords,
      guards: this.guards.records,
      plans: this.#planRecords,
      backups: {
        enterBackup: async (trx, backup) => {
          trx.stage(() => {
            this.backups.set(backup.taskId, backup);
            this.newBackups.push(backup);
          });
        },
      },
    };
  }

  readonly #runRecords: Records<MemoryTransaction>['runs'] = {
    insertRun: async (trx, spec) => {
      this.#number += 1;
      const number = this.#number;
      const row: RunRow = { spec, number, status: 'QUEUED', verdict: null, isHalted: false };
      trx.stage(() => {
        if (spec.trigger === 'schedule') this.#noteFire(spec.plan.name);
        this.runs.set(spec.runId, row);
      });
      return number;
    },
    markRun: async (trx, runId, status) => this.#changeRun(trx, runId, { status }),
    haltRun: async (trx, runId) => this.#changeRun(trx, runId, { isHalted: true }),
    endRun: async (trx, runId, _at, verdict) =>
      this.#changeRun(trx, runId, { status: verdict.status, verdict }),
    isHalted: async (runId) => this.runs.get(runId)?.isHalted === true,
  };

  readonly #taskRecords: Records<MemoryTransaction>['tasks'] = {
    replaceTasks: async (trx, runId, tasks) => this.#replaceTasks(trx, runId, tasks),
    waitingTasks: async (_trx, runId) =>
      this.tasksOf(runId)
        .filter(({ status }) => status === 'WAITING')
        .map(({ spec: { taskId, device }, number }) => ({ taskId, number, device })),
    unfinishedTasks: async (runId, includesRunning) =>
      this.tasksOf(runId)
        .filter((row) => row.status === 'WAITING' || (includesRunning && row.status === 'RUNNING'))
        .map(({ spec }) => spec.taskId),
    countTasks: async (runId) => {
      const counts = { waiting: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 };
      for (const { status } of this.tasksOf(runId)) counts[status.toLowerCase() as keyof TaskCounts] += 1;
      return counts;
    },
    markStarted: async (trx, taskId) => this.#changeTask(trx, taskId, { status: 'RUNNING' }),
    endTask: async (trx, taskId, _at, verdict) =>
      this.#changeTask(trx, taskId, { status: verdict.status, verdict }),
  };

  readonly #planRecords: Records<MemoryTransaction>['plans'] = {
    nextDuePlan: async (_trx, now) => {
      for (const { id: planId, plan, nextFireAt, isPlanned } of this.plans.values()) {
        const isDue = nextFireAt !== null && nextFireAt <= now;
        if (!isPlanned || isDue) return { planId, plan, isDue: isPlanned };
      }
      return null;
    },
    setNextFire: async (trx, planId, at) => {
      trx.stage(() => {
        const row = [...this.plans.values()].find(({ id }) => id === planId);
        if (row !== undefined) Object.assign(row, { nextFireAt: at, isPlanned: true });
      });
    },
    hasUnfinishedRun: async (_trx, planName) =>
      [...this.runs.values()].some(({ spec, verdict }) => spec.plan.name === planName && verdict === null),
    lastScheduledAt: async (_trx, planName) =>
      [...this.runs.values()]
        .filter(({ spec }) => spec.plan.name === planName && spec.trigger === 'schedule')
        .reduce<number | null>((last, { spec }) => Math.max(last ?? 0, spec.queuedAt), null),
    planIdOf: async (planName) => this.plans.get(planName)?.id ?? null,
  };

  #noteFire(planName: string): void {
    const fire = `${planName} at ${this.plans.get(planName)?.nextFireAt}`;
    this.fires.set(fire, (this.fires.get(fire) ?? 0) + 1);
    const isGoing = [...this.runs.values()].some(
      (run) => run.verdict === null && run.spec.plan.name === planName,
    );
    if (isGoing) this.overlaps += 1;
  }

  #changeRun(trx: MemoryTransaction, runId: string, change: Partial<RunRow>): void {
    trx.stage(() => {
      const row = this.runs.get(runId);
      if (row !== undefined) Object.assign(row, change);
    });
  }

  #changeTask(trx: MemoryTransaction, taskId: string, change: Partial<TaskRow>): void {
    trx.stage(() => {
      const row = this.tasks.get(taskId);
      if (row !== undefined) Object.assign(row, change);
    });
  }

  #replaceTasks(trx: MemoryTransaction, runId: string, tasks: readonly NewTask[]): void {
    const old = this.tasksOf(runId).map(({ spec }) => spec.taskId);
    this.#journal.forget(trx, old);
    const rows = tasks.map(({ spec, skipped }): TaskRow => {
      this.#number += 1;
      const verdict: TaskVerdict | null =
        skipped === null ? null : { status: 'SKIPPED', reason: skipped, warnings: [] };
      return { spec, number: this.#number, status: skipped === null ? 'WAITING' : 'SKIPPED', verdict };
    });
    trx.stage(() => {
      for (const taskId of old) this.tasks.delete(taskId);
      for (const row of rows) this.tasks.set(row.spec.taskId, row);
      this.#tasksOfRun.set(runId, rows);
    });
  }
}

function isGoing(row: TaskRow | undefined): boolean {
  return row?.status === 'WAITING' || row?.status === 'RUNNING';
}
