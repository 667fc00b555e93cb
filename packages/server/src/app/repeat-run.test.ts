import type { RunSpec } from '@stillpoint/core';
import { expect, it } from 'vitest';
import { samplePlan } from '../testing/sample-plan.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { type RepeatPorts, repeatRun } from './repeat-run.ts';

const earlier = sampleRun({ runId: 'r1', plan: samplePlan({ description: 'as it was' }) });

async function repeat(found: { isOver?: boolean; tasksToRepeat?: number } | null, reason?: string) {
  const queued: RunSpec[] = [];
  const ports: RepeatPorts = {
    history: {
      runToRepeat: async () =>
        found === null ? null : { spec: earlier, isOver: true, tasksToRepeat: 2, ...found },
    },
    runs: { queue: async (spec) => void queued.push(spec) },
    now: () => 7,
    newRunId: () => 'r2',
  };
  const outcome = await repeatRun('r1', { onlyFailed: true, windowOverrideReason: reason }, ports);
  return { outcome, queued };
}

it('a run is repeated with the plan as it was, and is a run like any other', async () => {
  const { outcome, queued } = await repeat({});
  expect(outcome).toEqual({ ok: true, value: 'r2' });
  const common = { runId: 'r2', plan: earlier.plan, trigger: 'request', queuedAt: 7 };
  expect(queued).toEqual([{ ...common, windowOverrideReason: null, repeatsRunId: 'r1' }]);
});

it('the window can be overridden for it with a written reason', async () => {
  const { queued } = await repeat({}, 'agreed with the night shift');
  expect(queued[0]?.windowOverrideReason).toBe('agreed with the night shift');
});

it.each([
  ['RUN_NOT_FOUND', null],
  ['RUN_NOT_ENDED', { isOver: false }],
  ['NOTHING_TO_REPEAT', { tasksToRepeat: 0 }],
])('it is refused with %s', async (code, found) => {
  const { outcome, queued } = await repeat(found);
  expect(outcome).toMatchObject({ ok: false, problem: { code } });
  expect(queued).toEqual([]);
});
