import type { Parameters } from '../parameters/parameters.ts';
import type { Reason } from '../reason.ts';
import type { TaskCounts } from './run-outcome.ts';

/** What a run can want of the world. */
export type RunEffect =
  | { readonly type: 'lookForEarlierRuns' }
  | { readonly type: 'readParameters' }
  | { readonly type: 'checkStore' }
  | { readonly type: 'expandPlan' }
  | { readonly type: 'runPreScript' }
  | { readonly type: 'queueTasks' }
  | { readonly type: 'countTasks' }
  | { readonly type: 'cancelTasks'; readonly reason: Reason; readonly includesRunning: boolean }
  | { readonly type: 'runPostScript'; readonly statusCode: string; readonly message: string | null };

/** What each effect answers when it went well. */
export type RunOutcomes = {
  /** Whether every run of the plan that was queued before this one has ended. */
  readonly lookForEarlierRuns: { readonly areOver: boolean };
  readonly readParameters: { readonly parameters: Parameters; readonly hostTimezone: string };
  readonly checkStore: { readonly freePercent: number };
  readonly expandPlan: { readonly counts: TaskCounts };
  readonly runPreScript: { readonly exitCode: number };
  readonly queueTasks: null;
  /** `isHalted`: a task failed under the error policy "halt". */
  readonly countTasks: { readonly counts: TaskCounts; readonly isHalted: boolean };
  readonly cancelTasks: null;
  readonly runPostScript: { readonly exitCode: number };
};

/** The name of an effect. */
export type RunEffectType = RunEffect['type'];

const looks: ReadonlySet<RunEffectType> = new Set([
  'lookForEarlierRuns',
  'readParameters',
  'checkStore',
  'countTasks',
]);

/** Whether an effect only looks, so that nothing needs to be recorded before it and it can be repeated blind. */
export function isRunLook(effect: RunEffect): boolean {
  return looks.has(effect.type);
}
