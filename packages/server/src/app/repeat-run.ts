import type { RerunRequest } from '@stillpoint/contract';
import type { Outcome } from './application.ts';
import type { Clock, History, Runs } from './ports.ts';

/** What repeating a run needs of the world. */
export type RepeatPorts = {
  readonly history: Pick<History, 'runToRepeat'>;
  readonly runs: Pick<Runs, 'queue'>;
  readonly now: Clock;
  readonly newRunId: () => string;
};

/**
 * Queues a run of the plan as it was in an earlier run, with the tasks that did not come to a backup there; answers its id.
 * It is checked as any other run is.
 */
export async function repeatRun(
  id: string,
  { windowOverrideReason }: RerunRequest,
  { history, runs, now, newRunId }: RepeatPorts,
): Promise<Outcome<string>> {
  const found = await history.runToRepeat(id);
  if (found === null) return refuse('RUN_NOT_FOUND', `There is no run "${id}".`);
  const { spec, isOver, tasksToRepeat } = found;
  if (!isOver) return refuse('RUN_NOT_ENDED', `The run ${id} of the plan "${spec.plan.name}" still goes on.`);
  if (tasksToRepeat === 0) {
    return refuse('NOTHING_TO_REPEAT', `No task of the run ${id} of the plan "${spec.plan.name}" failed.`);
  }
  const runId = newRunId();
  await runs.queue({
    runId,
    plan: spec.plan,
    trigger: 'request',
    windowOverrideReason: windowOverrideReason ?? null,
    repeatsRunId: id,
    queuedAt: now(),
  });
  return { ok: true, value: runId };
}

function refuse(
  code: 'RUN_NOT_FOUND' | 'RUN_NOT_ENDED' | 'NOTHING_TO_REPEAT',
  detail: string,
): Outcome<never> {
  return { ok: false, problem: { code, detail } };
}
