import {
  evolveRun,
  nextRunStep,
  type Parameters,
  type Plan,
  queuedRun,
  type RunStep,
} from '@stillpoint/core';
import type { Clock, Store } from './ports.ts';

/** The check that would end a run of the plan before its first task if it began now; null when none would. */
export async function refusalOfRun(
  plan: Plan,
  parameters: Parameters,
  { now, store, hostTimezone }: { now: Clock; store: Pick<Store, 'check'>; hostTimezone: string },
): Promise<{ code: string; sentence: string } | null> {
  const at = now();
  const spec = {
    runId: 'preview',
    plan,
    trigger: 'request',
    windowOverrideReason: null,
    queuedAt: at,
  } as const;
  const read = { ok: true, value: { parameters, hostTimezone } } as const;
  let state = evolveRun(queuedRun(spec), { type: 'noted', at, note: { type: 'started' } });
  state = evolveRun(state, { type: 'settled', at, effect: { type: 'readParameters' }, reply: read });
  const step = nextRunStep(state, at);
  if (step.kind !== 'do') return refusalIn(step);
  const reply = await store.check(parameters);
  state = evolveRun(state, { type: 'settled', at, effect: { type: 'checkStore' }, reply });
  return refusalIn(nextRunStep(state, at));
}

function refusalIn(step: RunStep): { code: string; sentence: string } | null {
  const reason = step.kind === 'finish' ? step.verdict.reason : null;
  return reason === null ? null : { code: reason.code, sentence: reason.detail };
}
