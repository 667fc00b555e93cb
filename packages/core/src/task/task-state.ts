import { NO_RETRY } from '../plan/plan.ts';
import type { Reason } from '../reason.ts';
import type { FetchedBackup, TaskEffect } from './task-effect.ts';
import type { TaskVerdict } from './task-fact.ts';
import type { KeptTaskSpec, TaskSpec } from './task-spec.ts';

/** What the quiesced thing was last seen doing as a whole; `unseen` = nothing seen since we last asked for a change. */
export type SeenPhase = 'unseen' | 'normal' | 'quiesced' | 'between' | 'error';

/** What is known of our quiesce and of undoing it; instants are milliseconds since the epoch. */
export type QuiesceState = {
  /** We asked for it and were not certainly refused: from here on it is ours to undo. */
  readonly isOurs: boolean;
  readonly isAccepted: boolean;
  /** The thing was seen leaving "normal", so our request is certain to have landed. */
  readonly hasBegun: boolean;
  readonly askedAt: number;
  /** Until here our request may still land; 0 once it is known to have landed. */
  readonly settlesAt: number;
  /** An effect on the thing is in doubt: it must be looked at before anything is sent to it. */
  readonly isLookDue: boolean;
  readonly seen: SeenPhase;
  readonly nextLookAt: number;
  /** The appliance was seen running when nothing of ours could land any more: nothing is left to undo. */
  readonly isReleased: boolean;
};

/** What is known of setting the thing moving again. */
export type UndoState = {
  /** When undoing began, or was begun anew by somebody who took over; null before. */
  readonly since: number | null;
  readonly isAccepted: boolean;
  /** When it was accepted first; 0 before. */
  readonly acceptedAt: number;
  readonly attempts: number;
  /** When it is sent again: after a refusal soon, after an acceptance that shows no effect later. */
  readonly nextAttemptAt: number;
  /** Until here an unquiesce whose reply was lost may still land; 0 when none was lost. */
  readonly settlesAt: number;
  readonly gaveUp: boolean;
};

/** How far a piece of work has come. */
export type Progress = 'none' | 'pending' | 'done' | 'failed';

/** Why a task, or an attempt of it, does not succeed. */
export type TaskFailure = {
  readonly status: 'FAILED' | 'CANCELLED';
  readonly reason: Reason;
  /** It may be gone the next time. */
  readonly isCurable: boolean;
};

/** All that is known of a task: the fold of its facts. */
export type TaskState = {
  readonly spec: TaskSpec;
  /** Which attempt it is in, or waits for; from 1. All that follows is of this attempt. */
  readonly attempt: number;
  /** How the attempt before failed; null in the first. */
  readonly lastFailure: Reason | null;
  /** It was put off, and nobody has taken it up again. */
  readonly isPutOff: boolean;
  /** Why earlier attempts could not clear away what they left in the store, and on the device; null when nothing is left. */
  readonly storeLitter: Reason | null;
  readonly deviceLitter: Reason | null;
  readonly isStarted: boolean;
  readonly pending: TaskEffect | null;
  readonly isAdmitted: boolean;
  readonly isStoreChecked: boolean;
  readonly isFirstLookDone: boolean;
  readonly hasUnsavedChanges: boolean;
  readonly isSecureBackupInspected: boolean;
  readonly preScript: Progress;
  readonly quiesce: QuiesceState;
  readonly undo: UndoState;
  readonly remote: Progress;
  readonly remoteRemoval: Progress;
  /** What was fetched so far, part by part. */
  readonly fetched: readonly FetchedBackup[];
  readonly fetch: Progress;
  readonly publish: Progress;
  readonly discard: Progress;
  readonly postScript: Progress;
  /** Somebody wants the script that is going on to end. */
  readonly isScriptGivenUp: boolean;
  /** Why it will not succeed; the first reason stands. */
  readonly failure: TaskFailure | null;
  /** The run was found to want another attempt. */
  readonly isWantedAgain: boolean;
  /** Why the run wants nothing more of it; null while it does. */
  readonly stop: Reason | null;
  readonly warnings: readonly Reason[];
  readonly verdict: TaskVerdict | null;
};

/** A task that was just queued. */
export function queuedTask(spec: KeptTaskSpec): TaskState {
  return {
    // One that was queued before an upgrade is not tried again.
    spec: { ...spec, retry: spec.retry ?? NO_RETRY },
    attempt: 1,
    lastFailure: null,
    isPutOff: false,
    storeLitter: null,
    deviceLitter: null,
    isStarted: false,
    pending: null,
    isAdmitted: false,
    isStoreChecked: false,
    isFirstLookDone: false,
    hasUnsavedChanges: false,
    isSecureBackupInspected: false,
    preScript: 'none',
    quiesce: {
      isOurs: false,
      isAccepted: false,
      hasBegun: false,
      askedAt: 0,
      settlesAt: 0,
      isLookDue: false,
      seen: 'unseen',
      nextLookAt: 0,
      isReleased: false,
    },
    undo: {
      since: null,
      isAccepted: false,
      acceptedAt: 0,
      attempts: 0,
      nextAttemptAt: 0,
      settlesAt: 0,
      gaveUp: false,
    },
    remote: 'none',
    remoteRemoval: 'none',
    fetched: [],
    fetch: 'none',
    publish: 'none',
    discard: 'none',
    postScript: 'none',
    isScriptGivenUp: false,
    failure: null,
    isWantedAgain: false,
    stop: null,
    warnings: [],
    verdict: null,
  };
}

/** Whether a durable record must say that this task may have quiesced something that is not yet seen running. */
export function isGuardNeeded(state: TaskState): boolean {
  return state.quiesce.isOurs && !state.quiesce.isReleased;
}

/** Whether the way forward is over, well or badly: from here on the task only undoes and cleans up. */
export function isUndoing(state: TaskState): boolean {
  return state.failure !== null || state.publish === 'done';
}

/** The instant from which on nothing of ours can land on the device any more (milliseconds since the epoch). */
export function settledFrom(state: TaskState): number {
  return Math.max(state.quiesce.settlesAt, state.undo.settlesAt);
}
