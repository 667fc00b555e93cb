import type { RunSpec, RunVerdict } from '@stillpoint/core';
import type { RunDigest, TaskProblem } from '../app/notifier.ts';
import { cutText } from './cut-text.ts';

/** How much of a run a digest tells. */
export const digestPolicy = {
  /** Tasks that did not succeed, the first of them in this order. */
  problems: 50,
  order: ['FAILED', 'CANCELLED', 'SKIPPED'],
  warnings: 20,
  /** What a device says may be long. */
  detailLength: 500,
} as const satisfies { order: readonly TaskProblem['status'][] } & Record<string, unknown>;

/** The digest of a run that has ended; `problems` are the first of its tasks that did not succeed, by the policy. */
export function digestOfRun(
  { runId, plan, trigger, queuedAt }: RunSpec,
  { status, reason, warnings }: RunVerdict,
  endedAt: number,
  counts: RunDigest['counts'],
  problems: readonly TaskProblem[],
): RunDigest {
  const { succeeded, failed, cancelled, skipped } = counts;
  return {
    event: 'RUN_ENDED',
    runId,
    plan: plan.name,
    trigger,
    status,
    reason: shortened(reason),
    warnings: warnings.slice(0, digestPolicy.warnings).map(shortened),
    queuedAt,
    endedAt,
    counts: { succeeded, failed, cancelled, skipped },
    problems: problems.map((problem) => ({ ...problem, reason: shortened(problem.reason) })),
    moreProblems: failed + cancelled + skipped - problems.length,
  };
}

function shortened<Given extends RunDigest['reason']>(reason: Given): Given {
  return reason === null ? reason : { ...reason, detail: cutText(reason.detail, digestPolicy.detailLength) };
}
