import type { Parameters } from '../parameters/parameters.ts';
import { completePlan } from '../plan/plan.ts';
import type { Reason } from '../reason.ts';
import type { RunEffect } from './run-effect.ts';
import type { RunVerdict } from './run-fact.ts';
import type { TaskCounts } from './run-outcome.ts';
import type { RunSpec } from './run-spec.ts';

/** All that is known of a run: the fold of its facts. */
export type RunState = {
  readonly spec: RunSpec;
  readonly isStarted: boolean;
  /** Nothing that it was queued behind is going any more. */
  readonly areEarlierRunsOver: boolean;
  /** When it was last seen that it has to wait; 0 when it did not have to. */
  readonly earlierRunsSeenAt: number;
  readonly pending: RunEffect | null;
  readonly parameters: Parameters | null;
  readonly hostTimezone: string;
  readonly isStoreChecked: boolean;
  /** Tasks may exist from here on, also while it is not known how many. */
  readonly isExpansionBegun: boolean;
  readonly counts: TaskCounts | null;
  readonly countedAt: number;
  readonly isHalted: boolean;
  readonly preScript: 'none' | 'pending' | 'done' | 'failed';
  readonly areTasksQueued: boolean;
  /** Why waiting tasks are cancelled; the first reason stands, unless an operator cancels. */
  readonly stop: Reason | null;
  readonly isStopCarriedOut: boolean;
  /** When carrying the stop out failed last; 0 when it did not. */
  readonly stopFailedAt: number;
  readonly postScript: 'none' | 'pending' | 'done' | 'failed';
  /** Somebody wants the script that is going on to end. */
  readonly isScriptGivenUp: boolean;
  /** Why the run fails, whatever its tasks come to; the first reason stands. */
  readonly failure: Reason | null;
  readonly warnings: readonly Reason[];
  readonly verdict: RunVerdict | null;
};

/** A run that was just queued. */
export function queuedRun(spec: RunSpec): RunState {
  return {
    // One that was queued before an upgrade has the plan of then.
    spec: { ...spec, plan: completePlan(spec.plan) },
    isStarted: false,
    areEarlierRunsOver: false,
    earlierRunsSeenAt: 0,
    pending: null,
    parameters: null,
    hostTimezone: 'UTC',
    isStoreChecked: false,
    isExpansionBegun: false,
    counts: null,
    countedAt: 0,
    isHalted: false,
    preScript: 'none',
    areTasksQueued: false,
    stop: null,
    isStopCarriedOut: false,
    stopFailedAt: 0,
    postScript: 'none',
    isScriptGivenUp: false,
    failure: null,
    warnings: [],
    verdict: null,
  };
}
