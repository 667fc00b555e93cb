import type { Reason } from '../reason.ts';
import { isWindowOpen } from '../window/window.ts';
import type { TaskEffect } from './task-effect.ts';
import type { TaskNote, TaskVerdict } from './task-fact.ts';
import { isGuardNeeded, queuedTask, type TaskState } from './task-state.ts';

/** What a task wants after an attempt that failed, when there is to be another one. */
type AgainStep =
  | { readonly kind: 'do'; readonly effect: TaskEffect }
  | { readonly kind: 'later'; readonly note: TaskNote; readonly afterMs: number };

/**
 * An attempt has failed, and all that it did is undone: asks the run whether another one is wanted, then puts the task
 * off. Null when it is not tried again.
 */
export function againStep(state: TaskState, timeOfDay: number): AgainStep | null {
  const { failure, spec } = state;
  if (failure === null || !mayTryAgain(state) || whyNotAgain(state, timeOfDay) !== null) return null;
  if (!state.isWantedAgain) return { kind: 'do', effect: { type: 'admit' } };
  const afterMs = spec.retry.delaySeconds * 1000;
  return { kind: 'later', note: { type: 'putOff', reason: failure.reason }, afterMs };
}

/** How a task ends whose last attempt has failed: it says so when the setting would have allowed another one. */
export function lastVerdict(state: TaskState, timeOfDay: number): TaskVerdict {
  const verdict = verdictOf(state);
  const why = mayTryAgain(state) ? whyNotAgain(state, timeOfDay) : null;
  if (why === null || verdict.reason === null) return verdict;
  return { ...verdict, reason: notTriedAgain(verdict.reason, why) };
}

/** How a task ends as far as it is known now, whether or not it is tried again. */
export function verdictOf(state: TaskState): TaskVerdict {
  const { failure } = state;
  const warnings = warningsOf(state);
  if (failure === null) return { status: 'SUCCEEDED', reason: null, warnings };
  return { status: failure.status, reason: failure.reason, warnings };
}

/** What the task warns of: also that something it made could not be cleared away, in whichever attempt. */
export function warningsOf({ warnings, storeLitter, deviceLitter }: TaskState): readonly Reason[] {
  return [...warnings, ...[deviceLitter, storeLitter].filter((litter) => litter !== null)];
}

/** How a task ends that is not to be started any more: cancelled, or, once an attempt has failed, as that did. */
export function endOfWaiting(
  { lastFailure }: TaskState,
  reason: Reason,
): { readonly status: 'CANCELLED' | 'FAILED'; readonly reason: Reason } {
  if (lastFailure === null) return { status: 'CANCELLED', reason };
  return { status: 'FAILED', reason: notTriedAgain(lastFailure, reason.detail) };
}

/** The task as it waits for its next attempt: nothing is left of this one but how it failed and what it could not clear. */
export function anotherAttempt(state: TaskState, reason: Reason): TaskState {
  const { spec, attempt, storeLitter, deviceLitter } = state;
  const kept = { lastFailure: reason, storeLitter, deviceLitter };
  return { ...queuedTask(spec), ...kept, attempt: attempt + 1, isPutOff: true };
}

/** The setting allows another attempt, the reason may be gone by then, and the device is as it was before this one. */
function mayTryAgain(state: TaskState): boolean {
  const { failure, attempt, spec } = state;
  const isAllowed = failure?.status === 'FAILED' && failure.isCurable && attempt <= spec.retry.attempts;
  return isAllowed && !isGuardNeeded(state);
}

/** Null when the next attempt would begin in time, for a run that still wants it. */
function whyNotAgain({ spec, stop }: TaskState, timeOfDay: number): string | null {
  if (stop !== null) return stop.detail;
  const { window, retry, queuedAt, limits } = spec;
  const nextAt = timeOfDay + retry.delaySeconds * 1000;
  if (nextAt - queuedAt > limits.queueMaxMs) return 'By then it would have waited too long.';
  const isOpen = window === null || [timeOfDay, nextAt].every((at) => isWindowOpen(window, at));
  return isOpen ? null : 'The window is closed by then.';
}

function notTriedAgain({ code, detail }: Reason, why: string): Reason {
  return { code, detail: `${detail} It was not tried again: ${why}` };
}
