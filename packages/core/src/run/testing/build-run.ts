import { type Parameters, parametersInForce } from '../../parameters/parameters.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Fault, Reply } from '../../reason.ts';
import { exportOf, planOf } from '../../testing/build-plan.ts';
import type { TaskCounts } from '../run-outcome.ts';
import type { RunSpec } from '../run-spec.ts';

/** Thursday, 1 January 2026, noon in UTC. */
export const RUN_START = Date.UTC(2026, 0, 1, 12);

/** A run of a plan that exports from `TEST*`, queued at {@link RUN_START}. */
export function runOf(plan: Partial<Plan> = {}, more: Partial<Omit<RunSpec, 'plan'>> = {}): RunSpec {
  return {
    runId: 'r',
    plan: planOf([exportOf('TEST*', '*')], plan),
    trigger: 'schedule',
    windowOverrideReason: null,
    queuedAt: RUN_START,
    ...more,
  };
}

/** The reply to `readParameters`. */
export function parametersReply(
  values: Partial<Parameters>,
): Reply<{ parameters: Parameters; hostTimezone: string }> {
  return { ok: true, value: { parameters: parametersInForce(values), hostTimezone: 'UTC' } };
}

/** So many tasks in these states and none in the others. */
export function countsOf(some: Partial<TaskCounts>): TaskCounts {
  return { waiting: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0, ...some };
}

/** The reply to `countTasks`. */
export function countReply(
  some: Partial<TaskCounts>,
  isHalted = false,
): Reply<{ counts: TaskCounts; isHalted: boolean }> {
  return { ok: true, value: { counts: countsOf(some), isHalted } };
}

/** A reply that tells of a fault; `effect` is `none` unless told. */
export function faultReply(code: string, effect: Fault['effect'] = 'none'): { ok: false; fault: Fault } {
  return { ok: false, fault: { code, effect, retryable: true, detail: `It was ${code}.` } };
}
