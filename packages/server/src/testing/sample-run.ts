import { randomUUID } from 'node:crypto';
import type { RunSpec } from '@stillpoint/core';
import { samplePlan } from './sample-plan.ts';
import { sampleQueuedAt } from './sample-task.ts';

/** For tests: a run of the sample plan with a new id. */
export function sampleRun(more: Partial<RunSpec> = {}): RunSpec {
  return {
    runId: randomUUID(),
    plan: samplePlan(),
    trigger: 'request',
    windowOverrideReason: null,
    queuedAt: sampleQueuedAt,
    ...more,
  };
}
