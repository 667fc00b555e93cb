import type { Reason, Reply } from '../reason.ts';
import type { TaskEffect, TaskEffectType, TaskOutcomes } from './task-effect.ts';

/** How a task ended. */
export type TaskVerdict = {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';
  /** Null when it succeeded. */
  readonly reason: Reason | null;
  readonly warnings: readonly Reason[];
};

/** What somebody outside may tell a task. */
export type TaskCommand =
  | {
      readonly type: 'cancel';
      readonly status: 'CANCELLED' | 'FAILED';
      /** A task that has started by then goes on. */
      readonly sparesStarted: boolean;
      readonly reason: Reason;
    }
  /** What it had quiesced was seen moving, when nothing of ours could land any more, by somebody who undid it for the task. */
  | { readonly type: 'released' };

/** What a task concludes by itself from the time that has passed. */
export type TaskNote =
  | { readonly type: 'started' }
  | { readonly type: 'gaveUp'; readonly on: 'quiesce' | 'unquiesce'; readonly reason: Reason }
  /** An attempt failed for this reason, and another one is to come: the task waits again. */
  | { readonly type: 'putOff'; readonly reason: Reason };

/** The outcome of one effect, typed by it. */
export type TaskSettled = {
  [Type in TaskEffectType]: {
    readonly type: 'settled';
    readonly at: number;
    readonly effect: Extract<TaskEffect, { type: Type }>;
    readonly reply: Reply<TaskOutcomes[Type]>;
  };
}[TaskEffectType];

/** One line of a task's journal; `at` is milliseconds since the epoch. */
export type TaskFact =
  | { readonly type: 'intended'; readonly at: number; readonly effect: TaskEffect }
  | TaskSettled
  /** Somebody else went on with the task; what was intended and not settled then may or may not have happened. */
  | { readonly type: 'takenOver'; readonly at: number }
  | {
      readonly type: 'noted';
      readonly at: number;
      readonly note: TaskNote;
      /** For how long it was put off, with a note that says so. */
      readonly putOffMs?: number | undefined;
    }
  | { readonly type: 'told'; readonly at: number; readonly command: TaskCommand }
  | { readonly type: 'ended'; readonly at: number; readonly verdict: TaskVerdict };

/** Narrows a fact to the outcome of one effect, with the reply of that effect. */
export function isSettled<Type extends TaskEffectType>(
  fact: TaskFact,
  type: Type,
): fact is Extract<TaskSettled, { effect: { type: Type } }> {
  return fact.type === 'settled' && fact.effect.type === type;
}
