import { type Reason, reasonOf } from '../reason.ts';
import { isWindowOpen } from '../window/window.ts';
import { againStep, endOfWaiting, lastVerdict, verdictOf, warningsOf } from './attempts.ts';
import type { ExportPart, TaskEffect } from './task-effect.ts';
import type { TaskNote, TaskVerdict } from './task-fact.ts';
import { quiesceScopeOf, type TaskSpec } from './task-spec.ts';
import { isUndoing, settledFrom, type TaskState } from './task-state.ts';

/** What a task wants next. Instants are milliseconds since the epoch. */
export type TaskStep =
  | { readonly kind: 'do'; readonly effect: TaskEffect }
  | { readonly kind: 'note'; readonly note: TaskNote }
  | { readonly kind: 'wait'; readonly until: number }
  /** To be let go of, and driven again after so many milliseconds. */
  | { readonly kind: 'later'; readonly note: TaskNote; readonly afterMs: number }
  | { readonly kind: 'finish'; readonly verdict: TaskVerdict };

/**
 * What the task wants of the world now: the table of steps, read from the top. Pure: all it knows is in its arguments.
 * Waits are told by `now`, which goes on evenly while one node drives the task; the window by what the clock says.
 */
export function nextTaskStep(state: TaskState, now: number, timeOfDay: number = now): TaskStep {
  if (state.verdict !== null) return { kind: 'finish', verdict: state.verdict };
  if (state.pending !== null)
    throw new Error(`The effect ${state.pending.type} is pending; settle it first.`);
  if (!state.isStarted) return startStep(state, timeOfDay);
  if (!isUndoing(state)) return forwardStep(state, now);
  return undoStep(state, now) ?? cleanUpStep(state) ?? endStep(state, timeOfDay);
}

/** The next attempt, or the end. */
function endStep(state: TaskState, timeOfDay: number): TaskStep {
  return againStep(state, timeOfDay) ?? { kind: 'finish', verdict: lastVerdict(state, timeOfDay) };
}

/** Step 1: the task may start only inside its window, and only while its run still wants it. */
function startStep(state: TaskState, timeOfDay: number): TaskStep {
  const { spec } = state;
  if (state.failure !== null) return endStep(state, timeOfDay);
  if (timeOfDay - spec.queuedAt > spec.limits.queueMaxMs) {
    const detail = `${nameOf(spec)} waited too long.`;
    return notStarted(state, reasonOf('EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED', detail));
  }
  if (spec.window !== null && !isWindowOpen(spec.window, timeOfDay)) {
    const detail = `The window closed before ${nameOf(spec)} started.`;
    return notStarted(state, reasonOf('EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW', detail));
  }
  return state.isAdmitted ? { kind: 'note', note: { type: 'started' } } : perform({ type: 'admit' });
}

/** Steps 2 to 9: check, quiesce, back up. */
function forwardStep(state: TaskState, now: number): TaskStep {
  const { spec } = state;
  if (!state.isStoreChecked) return perform({ type: 'checkStore' });
  if (!state.isFirstLookDone) return perform({ type: 'look' });
  if (state.storeLitter !== null) return perform({ type: 'discardBackup' });
  if (state.deviceLitter !== null) return perform({ type: 'removeSecureBackup' });
  if (spec.secureBackup !== null && !state.isSecureBackupInspected) {
    return perform({ type: 'inspectSecureBackup' });
  }
  if (spec.preTaskScript !== null && state.preScript === 'none') return perform({ type: 'runPreScript' });
  return quiesceStep(state, now) ?? backUpStep(state);
}

/** Steps 7 and 8. Null once the thing is quiesced, or when nothing is to be. */
function quiesceStep(state: TaskState, now: number): TaskStep | null {
  const { quiesce, spec } = state;
  const scope = quiesceScopeOf(spec);
  if (scope === null || quiesce.seen === 'quiesced') return null;
  if (!quiesce.isOurs) {
    return perform({ type: 'quiesce', scope, timeoutSeconds: spec.limits.quiesceTimeoutSeconds });
  }
  const { quiesceTimeoutSeconds, quiesceGraceSeconds } = spec.limits;
  const deadline = quiesce.askedAt + (quiesceTimeoutSeconds + quiesceGraceSeconds) * 1000;
  if (now >= deadline) {
    const detail = `${nameOf(spec)} was not quiesced within ${quiesceTimeoutSeconds} + ${quiesceGraceSeconds} seconds.`;
    const reason = reasonOf('EXECUTION_CANCELED_QUIESCE_TIMEOUT', detail);
    return { kind: 'note', note: { type: 'gaveUp', on: 'quiesce', reason } };
  }
  return lookAgain(state, now, deadline);
}

/** Step 9: fetch and verify every part, then publish them together. */
function backUpStep(state: TaskState): TaskStep {
  if (state.spec.secureBackup !== null) {
    if (state.remote === 'none') return perform({ type: 'createSecureBackup' });
    if (state.fetched.length === 0) return perform({ type: 'fetchSecureBackup' });
    return perform({ type: 'publishBackup' });
  }
  const part = exportPartsOf(state)[state.fetched.length];
  return perform(part === undefined ? { type: 'publishBackup' } : { type: 'fetchExport', part });
}

/** Step 4: unsaved changes are exported besides the saved configuration. */
function exportPartsOf(state: TaskState): readonly ExportPart[] {
  const persisted = { isPersisted: true };
  return state.hasUnsavedChanges ? [persisted, { isPersisted: false }] : [persisted];
}

/** Steps 10 and 11: undo our own quiesce. Null when nothing of ours is left to undo, or it is left to the reconciler. */
function undoStep(state: TaskState, now: number): TaskStep | null {
  const { quiesce, undo, spec } = state;
  const scope = quiesceScopeOf(spec);
  if (scope === null || !quiesce.isOurs || quiesce.isReleased || undo.gaveUp) return null;
  const { unquiesceTimeoutSeconds, unquiesceGraceSeconds } = spec.limits;
  const begunAt = undo.isAccepted ? undo.acceptedAt : (undo.since ?? now);
  const deadline = begunAt + (unquiesceTimeoutSeconds + unquiesceGraceSeconds) * 1000;
  if (now >= deadline) {
    const detail = `${nameOf(spec)} was not seen moving within ${unquiesceTimeoutSeconds} + ${unquiesceGraceSeconds} seconds.`;
    return {
      kind: 'note',
      note: { type: 'gaveUp', on: 'unquiesce', reason: reasonOf('UNQUIESCE_TIMEOUT', detail) },
    };
  }
  if (quiesce.isLookDue) return lookAgain(state, now, deadline);
  const isAttemptDue = now >= undo.nextAttemptAt;
  if (!undo.isAccepted && isUnquiesceDue(state)) {
    if (isAttemptDue) return perform({ type: 'unquiesce', scope });
    return { kind: 'wait', until: Math.min(undo.nextAttemptAt, deadline) };
  }
  const isIgnored = undo.isAccepted && quiesce.seen !== 'normal';
  if (isIgnored && isAttemptDue) return perform({ type: 'unquiesce', scope });
  return lookAgain(state, now, deadline);
}

/**
 * Whether the thing is, as far as is known, held by our quiesce. What was seen running is left alone: a lost
 * unquiesce has landed, or somebody set it moving by hand; all that remains is to look until nothing can land any more.
 */
function isUnquiesceDue({ quiesce, undo }: TaskState): boolean {
  if (quiesce.seen !== 'normal') return true;
  return quiesce.isAccepted && !quiesce.hasBegun && undo.settlesAt === 0;
}

/** What was left behind on the way, the post-task script, the end. */
function cleanUpStep(state: TaskState): TaskStep | null {
  const { spec } = state;
  const isDeviceLittered = state.remote !== 'none' || state.deviceLitter !== null;
  if (isDeviceLittered && state.remoteRemoval === 'none') return perform({ type: 'removeSecureBackup' });
  const isStoreLittered = state.fetch !== 'none' || state.storeLitter !== null;
  if (isStoreLittered && state.publish !== 'done' && state.discard === 'none') {
    return perform({ type: 'discardBackup' });
  }
  if (spec.postTaskScript !== null && state.postScript === 'none' && areChecksPassed(state)) {
    if (spec.postTaskScript.when === 'always' || state.failure !== null) {
      const { status, reason } = verdictOf(state);
      return perform({
        type: 'runPostScript',
        statusCode: reason?.code ?? status,
        message: reason?.detail ?? null,
      });
    }
  }
  return null;
}

/** Step 6 was reached: only then do scripts concern the task. */
function areChecksPassed(state: TaskState): boolean {
  const isInspected = state.spec.secureBackup === null || state.isSecureBackupInspected;
  return state.isStoreChecked && state.isFirstLookDone && isInspected;
}

/** The next look: when it is due, or, for a thing seen running, when nothing of ours can land any more. */
function lookAgain(state: TaskState, now: number, deadline: number): TaskStep {
  const { quiesce } = state;
  const isOnlySettling = isUndoing(state) && !quiesce.isLookDue && quiesce.seen === 'normal';
  const dueAt = isOnlySettling ? Math.max(quiesce.nextLookAt, settledFrom(state)) : quiesce.nextLookAt;
  if (now >= dueAt) return perform({ type: 'look' });
  return { kind: 'wait', until: Math.min(dueAt, deadline) };
}

function notStarted(state: TaskState, reason: Reason): TaskStep {
  return { kind: 'finish', verdict: { ...endOfWaiting(state, reason), warnings: warningsOf(state) } };
}

function perform(effect: TaskEffect): TaskStep {
  return { kind: 'do', effect };
}

/** The device, or the domain of a device, as sentences name it. */
function nameOf({ device, domain, isAllDomains }: TaskSpec): string {
  return domain === null || isAllDomains ? device : `${device}/${domain}`;
}
