import {
  evolveTask,
  isGuardNeeded,
  isLook,
  isSettled,
  nextTaskStep,
  queuedTask,
  type TaskEffect,
  type TaskFact,
  type TaskSpec,
  type TaskState,
} from '@stillpoint/core';
import type { AnyProgram, Change } from '@stillpoint/engine';
import type { Records } from './ports.ts';
import type { TaskPerformer } from './task-performer.ts';

/** The name under which the engine hosts tasks, and of their queue. */
export const TASK_PROGRAM = 'task';

/** A task as the engine hosts it: core decides, the performer does, the records show. */
export function taskProgram<Transaction>(
  performer: Pick<TaskPerformer<Transaction>, 'perform'>,
  records: Records<Transaction>,
): AnyProgram<Transaction> {
  return {
    name: TASK_PROGRAM,
    begin: queuedTask,
    evolve: evolveTask,
    next: nextTaskStep,
    isLook,
    isNews,
    isGivenUp,
    perform: performer.perform.bind(performer),
    project: (trx: Transaction, change: Change<TaskState>) => projectTask(trx, records, change),
    isProjected,
  };
}

/** Intents that no guard is opened for, and steps that went well and left the guard as it is, change nothing that others read. */
function isProjected(change: Change<TaskState>): boolean {
  const fact = change.fact as TaskFact;
  const { before, after } = change;
  if (before.quiesce !== after.quiesce || before.undo !== after.undo) return true;
  if (fact.type === 'intended') return fact.effect.type === 'quiesce' || fact.effect.type === 'unquiesce';
  return fact.type !== 'settled' || !fact.reply.ok || !quietSteps.has(fact.effect.type);
}

const quietSteps: ReadonlySet<TaskEffect['type']> = new Set([
  'admit',
  'checkStore',
  'look',
  'inspectSecureBackup',
  'fetchExport',
  'fetchSecureBackup',
]);

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

const scripts: ReadonlySet<TaskEffect['type']> = new Set(['runPreScript', 'runPostScript']);

/**
 * What may take hours is cut off once the task is to end: nobody waits quiesced for a download that nobody wants. A script
 * is cut off only by who says so while it runs, for the one after a failed task is wanted.
 */
function isGivenUp(state: TaskState, effect: TaskEffect): boolean {
  return scripts.has(effect.type)
    ? state.isScriptGivenUp
    : state.failure !== null && endless.has(effect.type);
}

async function projectTask<Transaction>(
  trx: Transaction,
  records: Records<Transaction>,
  change: Change<TaskState>,
): Promise<void> {
  const fact = change.fact as TaskFact;
  const { spec, fetched } = change.after;
  await projectGuard(trx, records, change);
  if (fact.type === 'noted' && fact.note.type === 'started') {
    await records.tasks.markStarted(trx, spec.taskId, fact.at);
  }
  if (fact.type === 'noted' && fact.note.type === 'putOff') {
    const next = {
      attempt: change.after.attempt,
      at: fact.at + (fact.putOffMs ?? 0),
      reason: fact.note.reason,
    };
    await records.tasks.markPutOff(trx, spec.taskId, next);
  }
  if (isSettled(fact, 'publishBackup') && fact.reply.ok) {
    const { takenAt, files } = fact.reply.value;
    const { taskId, runId, action, device, domain } = spec;
    const identity = fetched[0]?.device ?? unknownIdentity;
    await records.backups.enterBackup(trx, {
      taskId,
      runId,
      action,
      device,
      domain,
      identity,
      takenAt,
      files,
    });
  }
  if (fact.type === 'ended') await projectEnd(trx, records, spec, fact);
}

const unknownIdentity = { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null };

async function projectEnd<Transaction>(
  trx: Transaction,
  { tasks, runs }: Records<Transaction>,
  { taskId, runId, errorPolicy }: TaskSpec,
  { at, verdict }: Extract<TaskFact, { type: 'ended' }>,
): Promise<void> {
  await tasks.endTask(trx, taskId, at, verdict);
  // In the transaction of the failure, so that no task behind it can start in between.
  if (verdict.status === 'FAILED' && errorPolicy === 'halt') await runs.haltRun(trx, runId);
}

/** The guard is opened by the transaction that records the intent, and closed by the one that records the sight. */
async function projectGuard<Transaction>(
  trx: Transaction,
  { guards }: Records<Transaction>,
  { fact, before, after }: Change<TaskState>,
): Promise<void> {
  const { taskId, device } = after.spec;
  const intended = fact.type === 'intended' ? (fact as Extract<TaskFact, { type: 'intended' }>).effect : null;
  if (!isGuardNeeded(before) && isGuardNeeded(after) && intended?.type === 'quiesce') {
    await guards.openGuard(trx, { device, taskId, scope: intended.scope, intendedAt: fact.at });
  }
  const isRequest = (fact.type === 'intended' || fact.type === 'settled') && fact.effect.type === 'unquiesce';
  if (isRequest) await guards.markRequest(trx, taskId, fact.type === 'intended');
  if (before.quiesce.seen !== 'quiesced' && after.quiesce.seen === 'quiesced') {
    await guards.markQuiesced(trx, taskId, fact.at);
  }
  if (isGuardNeeded(before) && !isGuardNeeded(after)) await guards.closeGuard(trx, taskId, fact.at);
  // Who gave up undoing may still have a script to run; nobody waits for that.
  const isLeft = after.undo.gaveUp && !before.undo.gaveUp;
  if (isGuardNeeded(after) && (isLeft || fact.type === 'ended')) await guards.leaveGuard(trx, taskId);
}
