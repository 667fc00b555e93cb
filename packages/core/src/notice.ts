import type { Channel, Plan } from './plan/plan.ts';
import type { RunVerdict } from './run/run-fact.ts';

/** The channels that are to be told how a run ended: anything but success is a problem. */
export function channelsToTell(notify: Plan['notify'], status: RunVerdict['status']): readonly Channel[] {
  const names = Object.keys(notify) as Channel[];
  return names.filter((channel) => {
    const when = notify[channel];
    return when === 'always' || (when === 'onProblem' && status !== 'SUCCEEDED');
  });
}

/** For how long an undelivered notice is tried, and at what pace. */
export const noticePolicy = {
  firstPauseMs: 30_000,
  longestPauseMs: 3_600_000,
  giveUpAfterMs: 3 * 86_400_000,
} as const;

/** A try to deliver a notice that failed. */
export type FailedTry = {
  /** How many there were, this one included. */
  readonly attempts: number;
  /** For how long the notice has waited. */
  readonly waitedMs: number;
  /** False when trying again cannot help. */
  readonly isRetryable: boolean;
  /** How long the receiver asked to be left alone; null when it did not. */
  readonly askedPauseMs: number | null;
};

/** For how long nobody tries again after a try that failed, in milliseconds; null when the notice is given up. */
export function pauseAfterTry({ attempts, waitedMs, isRetryable, askedPauseMs }: FailedTry): number | null {
  const { firstPauseMs, longestPauseMs, giveUpAfterMs } = noticePolicy;
  if (!isRetryable || waitedMs >= giveUpAfterMs) return null;
  const doubled = firstPauseMs * 2 ** Math.min(attempts - 1, 20);
  return Math.min(longestPauseMs, Math.max(doubled, askedPauseMs ?? 0));
}
