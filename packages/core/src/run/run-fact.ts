import type { Reason, Reply } from '../reason.ts';
import type { RunEffect, RunEffectType, RunOutcomes } from './run-effect.ts';

/** How a run ended. */
export type RunVerdict = {
  readonly status: 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'SKIPPED' | 'CANCELLED';
  readonly reason: Reason | null;
  readonly warnings: readonly Reason[];
};

/** What an operator may tell a run. */
export type RunCommand = { readonly type: 'cancel'; readonly reason: Reason };

/** The outcome of one effect, typed by it. */
export type RunSettled = {
  [Type in RunEffectType]: {
    readonly type: 'settled';
    readonly at: number;
    readonly effect: Extract<RunEffect, { type: Type }>;
    readonly reply: Reply<RunOutcomes[Type]>;
  };
}[RunEffectType];

/** One line of a run's journal; `at` is milliseconds since the epoch. */
export type RunFact =
  | { readonly type: 'intended'; readonly at: number; readonly effect: RunEffect }
  | RunSettled
  /** Somebody else went on with the run. */
  | { readonly type: 'takenOver'; readonly at: number }
  | { readonly type: 'noted'; readonly at: number; readonly note: { readonly type: 'started' } }
  | { readonly type: 'told'; readonly at: number; readonly command: RunCommand }
  | { readonly type: 'ended'; readonly at: number; readonly verdict: RunVerdict };
