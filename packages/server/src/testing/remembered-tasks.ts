import type { TaskCounts, TaskToRepeat, TaskVerdict } from '@stillpoint/core';
import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { MemoryJournal } from '../../../engine/src/testing/memory-journal.ts';
import type { NewTask, NextAttempt, TaskRecords } from '../programs/ports.ts';
import type { RememberedRows, RememberedTask } from './remembered-rows.ts';

const firstAttempt = { attempt: 1, nextAttemptAt: null } as const;

/** For tests: the tasks, kept in memory beside a journal in memory. */
export class RememberedTasks implements TaskRecords<MemoryTransaction> {
  readonly #rows: RememberedRows;
  readonly #journal: Pick<MemoryJournal, 'forget'>;

  constructor(rows: RememberedRows, journal: Pick<MemoryJournal, 'forget'>) {
    this.#rows = rows;
    this.#journal = journal;
  }

  async replaceTasks(trx: MemoryTransaction, runId: string, tasks: readonly NewTask[]): Promise<void> {
    const old = this.#tasksOf(runId).map(({ spec }) => spec.taskId);
    this.#journal.forget(trx, old);
    const rows = tasks.map((task) => this.#rowOf(task));
    trx.stage(() => {
      for (const taskId of old) this.#rows.tasks.delete(taskId);
      for (const row of rows) this.#rows.tasks.set(row.spec.taskId, row);
    });
  }

  async waitingTasks(_trx: MemoryTransaction, runId: string) {
    return this.#tasksOf(runId)
      .filter(({ status }) => status === 'WAITING')
      .map(({ spec: { taskId, device }, number }) => ({ taskId, number, device }));
  }

  async unfinishedTasks(runId: string, includesRunning: boolean): Promise<readonly string[]> {
    return this.#tasksOf(runId)
      .filter(({ status }) => status === 'WAITING' || (includesRunning && status === 'RUNNING'))
      .map(({ spec }) => spec.taskId);
  }

  async tasksToRepeat(runId: string): Promise<readonly TaskToRepeat[]> {
    return this.#tasksOf(runId)
      .filter(
        ({ status, reason }) =>
          status === 'FAILED' || status === 'CANCELLED' || reason?.code === 'SKIPPED_DEVICE_NOT_AVAILABLE',
      )
      .map(({ spec: { device, domain }, activityIndex, status }) => {
        return { activityIndex, device, domain, isDomainKnown: status !== 'SKIPPED' };
      });
  }

  async countTasks(runId: string): Promise<TaskCounts> {
    const counts = { waiting: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 };
    for (const { status } of this.#tasksOf(runId)) counts[status.toLowerCase() as keyof TaskCounts] += 1;
    return counts;
  }

  async markStarted(trx: MemoryTransaction, taskId: string, at: number): Promise<void> {
    const startedAt = this.#rows.tasks.get(taskId)?.startedAt ?? at;
    this.#change(trx, taskId, { status: 'RUNNING', reason: null, startedAt, nextAttemptAt: null });
  }

  async markPutOff(
    trx: MemoryTransaction,
    taskId: string,
    { attempt, at, reason }: NextAttempt,
  ): Promise<void> {
    const next = { attempt, nextAttemptAt: at, reason: structuredClone(reason) };
    this.#change(trx, taskId, { status: 'WAITING', ...next });
  }

  async endTask(trx: MemoryTransaction, taskId: string, at: number, verdict: TaskVerdict): Promise<void> {
    this.#change(trx, taskId, { ...structuredClone(verdict), nextAttemptAt: null, endedAt: at });
  }

  #tasksOf(runId: string): RememberedTask[] {
    return [...this.#rows.tasks.values()].filter(({ spec }) => spec.runId === runId);
  }

  #rowOf(task: NewTask): RememberedTask {
    const { spec, activityIndex, skipped } = structuredClone(task);
    const status = skipped === null ? 'WAITING' : 'SKIPPED';
    const number = this.#rows.nextNumber();
    const endedAt = skipped === null ? null : spec.queuedAt;
    const end = { status, reason: skipped, warnings: [], startedAt: null, endedAt, ...firstAttempt } as const;
    return { spec, activityIndex, skipped, number, ...end };
  }

  #change(trx: MemoryTransaction, taskId: string, change: Partial<RememberedTask>): void {
    trx.stage(() => {
      const task = this.#rows.tasks.get(taskId);
      if (task !== undefined) Object.assign(task, change);
    });
  }
}
