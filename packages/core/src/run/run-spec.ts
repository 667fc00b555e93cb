import type { Plan } from '../plan/plan.ts';

/** What started a run. */
export type RunTrigger = 'schedule' | 'request';

/** One execution of a plan, as it was queued; the plan is the one of that moment. */
export type RunSpec = {
  readonly runId: string;
  readonly plan: Plan;
  readonly trigger: RunTrigger;
  /** The written reason of an admin who let this run go outside the window; null when nobody did. */
  readonly windowOverrideReason: string | null;
  /** The run whose failed tasks this one does again; none when it is not there. */
  readonly repeatsRunId?: string | undefined;
  /** Milliseconds since the epoch; the run's start time. */
  readonly queuedAt: number;
};
