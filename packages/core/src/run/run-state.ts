import type { Parameters } from '../parameters.ts';
import type { Reason } from '../reason.ts';
import type { TaskCounts } from '../run-outcome.ts';
import type { RunEffect } from './run-effect.ts';
import type { RunVerdict } from './run-fact.ts';
import type { RunSpec } from './run-spec.ts';

/** All that is known of a run: the fold of its facts. */
export type RunState = {
  readonly spec: RunSpec;
  readonly isStarted: boolean;
  readonly pending: RunEffect | null;
  readonly parameters: Parameters | null;
  readonly hostTimezone: string;
  readonly isStoreChecked: boolean;
  readonly counts: TaskCounts | null;
  readonly countedAt: number;
  readonly isHalted: boolean;
  readonly preScript: 'none' | 'pending' | 'done' | 'failed';
  readonly areTasksQueued: boolean;
  /** Why waiting tasks are cancelled; the first reason stands. */
  readonly stop: Reason | null;
  readonly isStopCarriedOut: boolean;
  readonly postScript: 'none' | 'pending' | 'done' | 'failed';
  /** Set when the run must end without running (any of) its tasks. */
  readonly failure: { readonly status: RunVerdict['status']; readonly reason: Reason } | null;
  readonly warnings: readonly Reason[];
  readonly verdict: RunVerdict | null;
};

/** A run that was just queued. */
export function queuedRun(spec: RunSpec): RunState {
  return {
    spec,
    isStarted: false,
    pending: null,
    parameters: null,
    hostTimezone: 'UTC',
    isStoreChecked: false,
    counts: null,
    countedAt: 0,
    isHalted: false,
    preScript: 'none',
    areTasksQueued: false,
    stop: null,
    isStopCarriedOut: false,
    postScript: 'none',
    failure: null,
    warnings: [],
    verdict: null,
  };
}
