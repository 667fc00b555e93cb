import { type Fault, type Reason, reasonOf } from '../reason.ts';
import { checksOfStore } from './run-checks.ts';
import type { RunEffect, RunEffectType } from './run-effect.ts';
import type { RunFact, RunSettled } from './run-fact.ts';
import type { RunState } from './run-state.ts';

/** What is known of a run after one more fact. */
export function evolveRun(state: RunState, fact: RunFact): RunState {
  switch (fact.type) {
    case 'intended':
      return intended({ ...state, pending: fact.effect }, fact.effect);
    case 'settled': {
      const settleOne = settle[fact.effect.type] as Settle<RunEffectType>;
      return { ...settleOne({ ...state, pending: null }, fact), isScriptGivenUp: false };
    }
    case 'takenOver':
      return takenOver(state);
    case 'noted':
      return { ...state, isStarted: true };
    case 'told':
      return told(state, fact.command.reason);
    case 'ended':
      return { ...state, verdict: fact.verdict };
  }
}

function intended(state: RunState, effect: RunEffect): RunState {
  switch (effect.type) {
    case 'expandPlan':
      return { ...state, isExpansionBegun: true };
    case 'runPreScript':
      return { ...state, preScript: 'pending' };
    case 'runPostScript':
      return { ...state, postScript: 'pending' };
    case 'cancelTasks':
      return { ...state, stop: state.stop ?? effect.reason };
    default:
      return state;
  }
}

type Settle<Type extends RunEffectType> = (
  state: RunState,
  fact: Extract<RunSettled, { effect: { type: Type } }>,
) => RunState;

const settle: { readonly [Type in RunEffectType]: Settle<Type> } = {
  lookForEarlierRuns: (state, { at, reply }) => {
    if (!reply.ok || !reply.value.areOver) return { ...state, earlierRunsSeenAt: at };
    // What it read before it waited may be hours old.
    const parameters = state.earlierRunsSeenAt === 0 ? state.parameters : null;
    return { ...state, areEarlierRunsOver: true, parameters };
  },
  readParameters: (state, { reply }) =>
    reply.ok ? { ...state, ...reply.value } : failed(state, reasonOfFault(reply.fault)),
  checkStore: (state, { reply }) => storeChecked(state, reply),
  expandPlan: (state, { reply }) =>
    reply.ok ? { ...state, counts: reply.value.counts } : stopped(state, reasonOfFault(reply.fault)),
  runPreScript: (state, { reply }) => {
    const script = state.spec.plan.prePlanScript;
    if (reply.ok && reply.value.exitCode === 0) return { ...state, preScript: 'done' };
    // Cut off by the cancel that ends the run: it is not the script that failed.
    if (!reply.ok && state.isScriptGivenUp) return { ...state, preScript: 'failed' };
    const detail = reply.ok
      ? `The script ${script} ended with exit code ${reply.value.exitCode}.`
      : reply.fault.detail;
    return stopped({ ...state, preScript: 'failed' }, reasonOf('PLAN_FAILED_PRE_SCRIPT', detail));
  },
  queueTasks: (state, { reply }) => {
    if (reply.ok) return { ...state, areTasksQueued: true };
    return stopped(
      { ...state, areTasksQueued: reply.fault.effect === 'unknown' },
      reasonOfFault(reply.fault),
    );
  },
  countTasks: (state, { at, reply }) => {
    if (!reply.ok) return { ...state, countedAt: at };
    // What was going on when the others were cancelled may have come to wait for another attempt.
    const isSome = reply.value.counts.waiting > (state.counts?.waiting ?? 0);
    const isStopCarriedOut = state.isStopCarriedOut && !isSome;
    return { ...state, ...reply.value, isStopCarriedOut, countedAt: at };
  },
  cancelTasks: (state, { at, effect, reply }) => {
    if (!reply.ok) return { ...state, stopFailedAt: at };
    // An operator's cancel that came meanwhile is still to be carried out.
    const isStopCarriedOut = effect.reason.code === state.stop?.code;
    return { ...state, isStopCarriedOut, stopFailedAt: 0, countedAt: 0 };
  },
  runPostScript: (state, { reply }) => {
    if (reply.ok && reply.value.exitCode === 0) return { ...state, postScript: 'done' };
    const detail = reply.ok ? `It ended with exit code ${reply.value.exitCode}.` : reply.fault.detail;
    const script = state.spec.plan.postPlanScript;
    const warning = reasonOf('POST_SCRIPT_FAILED', `The script ${script} failed: ${detail}`);
    return { ...state, postScript: 'failed', warnings: [...state.warnings, warning] };
  },
};

function failed(state: RunState, reason: Reason): RunState {
  return state.failure === null ? { ...state, failure: reason } : state;
}

const reasonOfFault = ({ code, detail }: Fault): Reason => ({ code, detail });

/** Fails the run, and cancels what was prepared. */
function stopped(state: RunState, reason: Reason): RunState {
  return failed({ ...state, stop: state.stop ?? reason }, reason);
}

/**
 * An operator's cancel also reaches tasks that are going on, so it goes further than a stop that was carried out before;
 * one that is told again reaches also a script that was begun since.
 */
function told(state: RunState, reason: Reason): RunState {
  const isScriptGivenUp = state.preScript === 'pending' || state.postScript === 'pending';
  return { ...state, stop: reason, isStopCarriedOut: false, isScriptGivenUp };
}

function storeChecked(
  state: RunState,
  reply: Extract<RunSettled, { effect: { type: 'checkStore' } }>['reply'],
): RunState {
  const checks = checksOfStore(reply, state.parameters?.['store.minFreePercent'] ?? 0);
  const refusal = checks.find((check) => check.refusal !== null)?.refusal;
  return refusal ? failed(state, refusal.reason) : { ...state, isStoreChecked: true };
}

/** Preparing and queueing can be done again; a script cannot. Pauses were told by a clock that may be another node's. */
function takenOver(state: RunState): RunState {
  const { pending } = state;
  const next = {
    ...state,
    pending: null,
    isScriptGivenUp: false,
    // Of a run that has waited for its turn they may be hours old.
    parameters: state.isStarted ? state.parameters : null,
    earlierRunsSeenAt: 0,
    countedAt: 0,
    stopFailedAt: 0,
  };
  if (pending?.type === 'runPreScript') {
    const reason = reasonOf('INTERRUPTED', 'The server stopped during the pre-plan script.');
    return stopped({ ...next, preScript: 'failed' }, reason);
  }
  if (pending?.type === 'runPostScript') {
    const warning = reasonOf('INTERRUPTED', 'The post-plan script was cut off.');
    return { ...next, postScript: 'failed', warnings: [...next.warnings, warning] };
  }
  return next;
}
