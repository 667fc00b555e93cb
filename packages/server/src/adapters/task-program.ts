import {
  evolveTask,
  isGuardNeeded,
  isLook,
  isSettled,
  nextTaskStep,
  queuedTask,
  type Reason,
  type TaskEffect,
  type TaskFact,
  type TaskSpec,
  type TaskState,
} from '@stillpoint/core';
import type { AnyProgram, Change } from '@stillpoint/engine';
import type { Transaction } from 'kysely';
import { insertBackup } from './insert-backup.ts';
import type { Tables } from './tables.ts';
import type { TaskPerformer } from './task-performer.ts';

/** The name under which the engine hosts tasks, and of their queue. */
export const TASK_PROGRAM = 'task';

/** A task as the engine hosts it: core decides, the performer does, the tables show. */
export function taskProgram(performer: TaskPerformer): AnyProgram {
  return {
    name: TASK_PROGRAM,
    begin: queuedTask,
    evolve: evolveTask,
    next: nextTaskStep,
    isLook,
    isNews,
    isGivenUp,
    perform: performer.perform.bind(performer),
    project: projectTask,
  };
}

/** A look is worth a line when it showed another phase, ended a check, or ended the way forward. */
function isNews(before: TaskState, after: TaskState): boolean {
  const gist = (state: TaskState): unknown[] => [
    state.isAdmitted,
    state.isStoreChecked,
    state.isFirstLookDone,
    state.isSecureBackupInspected,
    state.quiesce.seen,
    state.quiesce.isReleased,
    state.quiesce.isLookDue,
    state.failure,
  ];
  return JSON.stringify(gist(before)) !== JSON.stringify(gist(after));
}

const endless: ReadonlySet<TaskEffect['type']> = new Set([
  'createSecureBackup',
  'fetchSecureBackup',
  'fetchExport',
]);

/** What may take hours is cut off once the task is to end: nobody waits quiesced for a download that nobody wants. */
function isGivenUp(state: TaskState, effect: TaskEffect): boolean {
  return state.failure !== null && endless.has(effect.type);
}

async function projectTask(trx: Transaction<Tables>, change: Change<TaskState>): Promise<void> {
  const fact = change.fact as TaskFact;
  const { spec } = change.after;
  await projectGuard(trx, change);
  if (fact.type === 'noted' && fact.note.type === 'started') {
    await trx
      .updateTable('task')
      .set({ status: 'RUNNING', started_at: new Date(fact.at) })
      .where('id', '=', spec.taskId)
      .execute();
  }
  if (isSettled(fact, 'publishBackup') && fact.reply.ok) {
    const run = await trx
      .selectFrom('run')
      .select('plan_name')
      .where('id', '=', spec.runId)
      .executeTakeFirst();
    const { takenAt, files } = fact.reply.value;
    const { taskId, action, device, domain } = spec;
    const identity = change.after.fetched[0]?.device ?? unknownIdentity;
    const planName = run?.plan_name ?? null;
    await insertBackup(trx, {
      taskId,
      action,
      device,
      domain,
      identity,
      takenAt,
      files,
      planName,
      runId: spec.runId,
    });
  }
  if (fact.type === 'ended') await projectEnd(trx, spec, fact);
}

const unknownIdentity = { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null };

async function projectEnd(
  trx: Transaction<Tables>,
  spec: TaskSpec,
  { at, verdict }: Extract<TaskFact, { type: 'ended' }>,
): Promise<void> {
  const { status, reason, warnings } = verdict;
  await trx
    .updateTable('task')
    .set({ status, reason: json(reason), warnings: JSON.stringify(warnings), ended_at: new Date(at) })
    .where('id', '=', spec.taskId)
    .execute();
  // In the transaction of the failure, so that no task behind it can start in between.
  if (status === 'FAILED' && spec.errorPolicy === 'halt') {
    await trx.updateTable('run').set({ is_halted: true }).where('id', '=', spec.runId).execute();
  }
}

const json = (reason: Reason | null): string | null => (reason === null ? null : JSON.stringify(reason));

/** The guard is opened by the transaction that records the intent, and closed by the one that records the sight. */
async function projectGuard(
  trx: Transaction<Tables>,
  { fact, before, after }: Change<TaskState>,
): Promise<void> {
  const { spec } = after;
  const intended = fact.type === 'intended' ? (fact as Extract<TaskFact, { type: 'intended' }>).effect : null;
  if (!isGuardNeeded(before) && isGuardNeeded(after) && intended?.type === 'quiesce') {
    await trx
      .insertInto('device_guard')
      .values({
        device: spec.device,
        task_id: spec.taskId,
        scope: JSON.stringify(intended.scope),
        intended_at: new Date(fact.at),
      })
      .execute();
  }
  const guard = trx
    .updateTable('device_guard')
    .where('task_id', '=', spec.taskId)
    .where('released_at', 'is', null);
  if (before.quiesce.seen !== 'quiesced' && after.quiesce.seen === 'quiesced') {
    await guard.set({ quiesced_at: new Date(fact.at) }).execute();
  }
  if (isGuardNeeded(before) && !isGuardNeeded(after)) {
    await guard.set({ released_at: new Date(fact.at) }).execute();
  }
}
