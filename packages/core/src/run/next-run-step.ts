import type { ReasonCode } from '../core-catalogue.ts';
import type { Parameters } from '../parameters/parameters.ts';
import { type Reason, reasonOf } from '../reason.ts';
import { planWindow } from '../window/plan-window.ts';
import { isWindowOpen } from '../window/window.ts';
import { checksOfParameters } from './run-checks.ts';
import type { RunEffect } from './run-effect.ts';
import type { RunVerdict } from './run-fact.ts';
import { runOutcome, type TaskCounts } from './run-outcome.ts';
import type { RunSpec } from './run-spec.ts';
import type { RunState } from './run-state.ts';

/** What a run wants next. Instants are milliseconds since the epoch. */
export type RunStep =
  | { readonly kind: 'do'; readonly effect: RunEffect }
  | { readonly kind: 'note'; readonly note: { readonly type: 'started' } }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'finish'; readonly verdict: RunVerdict };

/** Pause between two counts of the tasks, and before a cancel that failed is tried again; the end of a task wakes the run earlier. */
const PAUSE_MS = 1000;

/**
 * What the run wants of the world now: the table of its steps, read from the top. Pure. Pauses are told by `now`, which
 * goes on evenly while one node drives the run; window and queue by what the clock says.
 */
export function nextRunStep(state: RunState, now: number, timeOfDay: number = now): RunStep {
  if (state.verdict !== null) return { kind: 'finish', verdict: state.verdict };
  if (state.pending !== null)
    throw new Error(`The effect ${state.pending.type} is pending; settle it first.`);
  if (!state.isStarted) return waitStep(state, now, timeOfDay) ?? { kind: 'note', note: { type: 'started' } };
  if (state.counts !== null && state.counts.waiting + state.counts.running > 0)
    return tasksStep(state, now, timeOfDay);
  return state.counts === null ? prepareStep(state, now, timeOfDay) : endStep(state);
}

/**
 * A fire that was queued begins when the earlier runs of its plan have ended, and still obeys the time that runs may wait.
 * What is cancelled before it has begun never begins.
 */
function waitStep(state: RunState, now: number, timeOfDay: number): RunStep | null {
  const { spec, parameters, failure, stop } = state;
  if (failure !== null) return end('FAILED', failure);
  if (stop !== null) return end('CANCELLED', stop);
  if (spec.trigger !== 'schedule' || spec.plan.overlap !== 'queue' || state.areEarlierRunsOver) return null;
  if (parameters === null) return perform({ type: 'readParameters' });
  const refusal = refusalOfAge(spec, parameters, timeOfDay);
  if (refusal !== null) return refusal;
  return pauseAfter(state.earlierRunsSeenAt, now) ?? perform({ type: 'lookForEarlierRuns' });
}

/** Steps 1 to 5. Before the expansion is begun nothing has been created, so any "no" ends the run here. */
function prepareStep(state: RunState, now: number, timeOfDay: number): RunStep {
  const { spec, parameters, failure } = state;
  if (state.isExpansionBegun && failure === null) return perform({ type: 'expandPlan' });
  if (state.isExpansionBegun && !state.isStopCarriedOut) return stopStep(state, now);
  if (failure !== null) return end('FAILED', failure);
  if (state.stop !== null) return end('CANCELLED', state.stop);
  if (parameters === null) return perform({ type: 'readParameters' });
  const tooOld = refusalOfAge(spec, parameters, timeOfDay);
  if (tooOld !== null) return tooOld;
  const checks = checksOfParameters(spec, parameters, state.hostTimezone, timeOfDay);
  const refusal = checks.find((check) => check.refusal !== null)?.refusal;
  if (refusal) return end(refusal.status, refusal.reason);
  return perform({ type: state.isStoreChecked ? 'expandPlan' : 'checkStore' });
}

function refusalOfAge(spec: RunSpec, parameters: Parameters, timeOfDay: number): RunStep | null {
  const mostHours = parameters['queue.maxHours'];
  if (timeOfDay - spec.queuedAt <= mostHours * 3_600_000) return null;
  const detail = `The run of ${spec.plan.name} waited longer than ${mostHours} hours.`;
  return end('SKIPPED', reasonOf('PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED', detail));
}

/** Steps 7 and 8: the script, the tasks, and what may stop them. */
function tasksStep(state: RunState, now: number, timeOfDay: number): RunStep {
  const { spec, counts } = state;
  if (state.stop !== null && !state.isStopCarriedOut) return stopStep(state, now);
  if (state.stop === null) {
    if (spec.plan.prePlanScript !== null && state.preScript === 'none') {
      return perform({ type: 'runPreScript' });
    }
    if (!state.areTasksQueued) return perform({ type: 'queueTasks' });
    const reason = (counts?.waiting ?? 0) > 0 ? stopReasonOf(state, timeOfDay) : null;
    if (reason !== null) return cancelTasks(reason);
  }
  return pauseAfter(state.countedAt, now) ?? perform({ type: 'countTasks' });
}

/** Cancels for the reason that the state holds. */
function stopStep(state: RunState, now: number): RunStep {
  if (state.stop === null) throw new Error('Nothing says why the tasks are to be cancelled.');
  return pauseAfter(state.stopFailedAt, now) ?? cancelTasks(state.stop);
}

/** Null once the pause is over. */
function pauseAfter(at: number, now: number): RunStep | null {
  return now < at + PAUSE_MS ? { kind: 'wait', until: at + PAUSE_MS } : null;
}

function stopReasonOf(state: RunState, timeOfDay: number): Reason | null {
  const { spec, parameters } = state;
  if (parameters === null) return null;
  if (state.isHalted) return haltOf(spec);
  if (timeOfDay - spec.queuedAt > parameters['queue.maxHours'] * 3_600_000) {
    const detail = `It waited longer than ${parameters['queue.maxHours']} hours.`;
    return reasonOf('EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED', detail);
  }
  const window = planWindow(spec.plan, parameters, state.hostTimezone);
  const isClosed = !('kind' in window) && !isWindowOpen(window, timeOfDay);
  if (spec.windowOverrideReason !== null || !isClosed) return null;
  const detail = `The window of ${spec.plan.name} closed before it started.`;
  return reasonOf('EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW', detail);
}

/** Steps 6 and 9: no task is left to do. */
function endStep(state: RunState): RunStep {
  const { spec, counts } = state;
  if (counts === null) throw new Error('A run without counted tasks has not been prepared.');
  const outcome = runOutcome(counts);
  const status = state.failure === null ? outcome : 'FAILED';
  const reason = state.failure ?? reasonOfOutcome(state, counts, outcome);
  const isBegun = state.areTasksQueued || state.preScript === 'done';
  const isPostScriptDue = isBegun && state.postScript === 'none';
  if (spec.plan.postPlanScript !== null && isPostScriptDue) {
    return perform({
      type: 'runPostScript',
      // Scripts tell a run in which some tasks failed from one in which all did.
      statusCode: state.failure?.code ?? state.stop?.code ?? status,
      message: reason?.detail ?? null,
    });
  }
  return { kind: 'finish', verdict: { status, reason, warnings: state.warnings } };
}

function haltOf({ plan }: RunSpec): Reason {
  const detail = `A task of ${plan.name} failed and its error policy is "halt".`;
  return reasonOf('EXECUTION_CANCELED_BECAUSE_ERROR_POLICY', detail);
}

/**
 * A cancel that came when every task had succeeded has stopped nothing. Tasks that a halt kept from starting may have
 * said so before the run came to cancel them.
 */
function reasonOfOutcome(
  { spec, stop, isHalted }: RunState,
  counts: TaskCounts,
  outcome: RunVerdict['status'],
): Reason | null {
  if (outcome === 'SUCCEEDED') return null;
  if (outcome === 'SKIPPED')
    return reasonOf('ALL_TASKS_SKIPPED', `Every task of ${spec.plan.name} was skipped.`);
  const { succeeded, failed, cancelled } = counts;
  if (stop === null && isHalted && cancelled > 0) return haltOf(spec);
  const detail = `Of the tasks of ${spec.plan.name}, ${succeeded} succeeded, ${failed} failed and ${cancelled} were cancelled.`;
  return stop ?? reasonOf('SOME_TASKS_FAILED', detail);
}

/** An operator's cancel also reaches the tasks that are going on; the other reasons let them finish. */
function cancelTasks(reason: Reason): RunStep {
  const includesRunning = reason.code === ('EXECUTION_CANCELED_BY_OPERATOR' satisfies ReasonCode);
  return perform({ type: 'cancelTasks', reason, includesRunning });
}

function end(status: RunVerdict['status'], reason: Reason): RunStep {
  return { kind: 'finish', verdict: { status, reason, warnings: [] } };
}

function perform(effect: RunEffect): RunStep {
  return { kind: 'do', effect };
}
