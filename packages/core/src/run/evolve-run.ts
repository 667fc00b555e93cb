import { type Fault, type Reason, reasonOf } from '../reason.ts';
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
      return settleOne({ ...state, pending: null }, fact);
    }
    case 'takenOver':
      return takenOver(state);
    case 'noted':
      return { ...state, isStarted: true };
    case 'told':
      return { ...state, stop: state.stop ?? fact.command.reason };
    case 'ended':
      return { ...state, verdict: fact.verdict };
  }
}

function intended(state: RunState, effect: RunEffect): RunState {
  switch (effect.type) {
    case 'runPreScript':
      return { ...state, preScript: 'pending' };
    case 'runPostScript':
      return { ...state, postScript: 'pending' };
    case 'cancelTasks':
      return { ...state, stop: effect.reason };
    default:
      return state;
  }
}

type Settle<Type extends RunEffectType> = (
  state: RunState,
  fact: Extract<RunSettled, { effect: { type: Type } }>,
) => RunState;

const settle: { readonly [Type in RunEffectType]: Settle<Type> } = {
  readParameters: (state, { reply }) =>
    reply.ok ? { ...state, ...reply.value } : faulted(state, reply.fault),
  checkStore: (state, { reply }) => storeChecked(state, reply),
  expandPlan: (state, { reply }) =>
    reply.ok ? { ...state, counts: reply.value.counts } : faulted(state, reply.fault),
  runPreScript: (state, { reply }) => {
    const script = state.spec.plan.prePlanScript;
    if (reply.ok && reply.value.exitCode === 0) return { ...state, preScript: 'done' };
    const detail = reply.ok
      ? `The script ${script} ended with exit code ${reply.value.exitCode}.`
      : reply.fault.detail;
    return preScriptFailed(state, reasonOf('PLAN_FAILED_PRE_SCRIPT', detail));
  },
  queueTasks: (state, { reply }) =>
    reply.ok ? { ...state, areTasksQueued: true } : faulted(state, reply.fault),
  countTasks: (state, { at, reply }) =>
    reply.ok ? { ...state, ...reply.value, countedAt: at } : { ...state, countedAt: at },
  cancelTasks: (state, { reply }) => ({ ...state, isStopCarriedOut: reply.ok, countedAt: 0 }),
  runPostScript: (state, { reply }) => {
    if (reply.ok && reply.value.exitCode === 0) return { ...state, postScript: 'done' };
    const detail = reply.ok ? `It ended with exit code ${reply.value.exitCode}.` : reply.fault.detail;
    const script = state.spec.plan.postPlanScript;
    const warning = reasonOf('POST_SCRIPT_FAILED', `The script ${script} failed: ${detail}`);
    return { ...state, postScript: 'failed', warnings: [...state.warnings, warning] };
  },
};

function failed(state: RunState, reason: Reason): RunState {
  return state.failure === null ? { ...state, failure: { status: 'FAILED', reason } } : state;
}

function faulted(state: RunState, { code, detail }: Fault): RunState {
  return failed(state, { code, detail });
}

/** The script's failure ends the run, and cancels what was prepared. */
function preScriptFailed(state: RunState, reason: Reason): RunState {
  return failed({ ...state, preScript: 'failed', stop: state.stop ?? reason }, reason);
}

/** What the store says about itself is told in the words of the run's own checks where those have a code for it. */
function storeChecked(
  state: RunState,
  reply: Extract<RunSettled, { effect: { type: 'checkStore' } }>['reply'],
): RunState {
  if (!reply.ok) {
    const { code, detail } = reply.fault;
    const isAbsent = unmountedCodes.has(code);
    return failed(
      state,
      isAbsent ? reasonOf('PRE_VALIDATION_STORE_IS_NOT_MOUNTED', detail) : { code, detail },
    );
  }
  const least = state.parameters?.['store.minFreePercent'] ?? 0;
  if (reply.value.freePercent >= least) return { ...state, isStoreChecked: true };
  const detail = `The store has ${reply.value.freePercent.toFixed(1)} % free, less than the ${least} % asked for.`;
  return failed(state, reasonOf('PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE', detail));
}

/** The store's codes that all mean: this is not the mounted file system that was set up. */
const unmountedCodes: ReadonlySet<string> = new Set([
  'STORE_PATH_NOT_SET',
  'STORE_DOES_NOT_EXIST',
  'STORE_NOT_A_DIRECTORY',
  'STORE_IS_NOT_MOUNTED',
  'STORE_MARKER_MISSING',
  'STORE_MARKER_UNREADABLE',
  'STORE_MARKER_DIFFERS',
]);

/** Preparing and queueing can be done again; a script cannot. */
function takenOver(state: RunState): RunState {
  const { pending } = state;
  const next = { ...state, pending: null };
  if (pending?.type === 'runPreScript') {
    return preScriptFailed(next, reasonOf('INTERRUPTED', 'The server stopped during the pre-plan script.'));
  }
  if (pending?.type === 'runPostScript') {
    const warning = reasonOf('INTERRUPTED', 'The post-plan script was cut off.');
    return { ...next, postScript: 'failed', warnings: [...next.warnings, warning] };
  }
  return next;
}
