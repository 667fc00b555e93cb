import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan/plan.ts';
import type { RunEffectType } from './run-effect.ts';
import { countReply, runOf } from './testing/build-run.ts';
import { driveRun, endOf, type RunDrive, warningsOf } from './testing/drive-run.ts';

const begin = ['readParameters', 'checkStore', 'expandPlan'];
const withScripts: Partial<Plan> = { prePlanScript: 'begin.sh', postPlanScript: 'end.sh' };
const cancelByOperator = 'cancelTasks EXECUTION_CANCELED_BY_OPERATOR';
const allCancelled = [countReply({ cancelled: 2 })];

describe('a run that another node takes over', () => {
  const all = [...begin, 'runPreScript', 'queueTasks', 'countTasks', 'runPostScript'];
  const takenOver = (effect: RunEffectType, when: 'before' | 'during' | 'after'): RunDrive =>
    driveRun(runOf(withScripts), { interference: [{ when, effect, fact: 'takenOver' }] });

  it.each(all as RunEffectType[])('goes on where it was, before and after %s', (effect) => {
    for (const when of ['before', 'after'] as const) {
      const drive = takenOver(effect, when);
      expect(drive.effects).toEqual(all);
      expect(drive.verdict).toEqual({ status: 'SUCCEEDED', reason: null, warnings: [] });
    }
  });

  it.each<RunEffectType>(['readParameters', 'checkStore', 'expandPlan', 'queueTasks', 'countTasks'])(
    'does %s again when that was cut off',
    (effect) => {
      const drive = takenOver(effect, 'during');
      const at = all.indexOf(effect);
      expect(drive.effects).toEqual([...all.slice(0, at), effect, ...all.slice(at)]);
      expect(endOf(drive)).toBe('SUCCEEDED -');
    },
  );

  it('fails when the pre-plan script was cut off, which is not run again', () => {
    const drive = driveRun(runOf(withScripts), {
      replies: { countTasks: allCancelled },
      interference: [{ when: 'during', effect: 'runPreScript', fact: 'takenOver' }],
    });
    expect(drive.effects).toEqual([...begin, 'runPreScript', 'cancelTasks INTERRUPTED', 'countTasks']);
    expect(endOf(drive)).toBe('FAILED INTERRUPTED');
  });

  it('warns when the post-plan script was cut off, which is not run again', () => {
    const drive = takenOver('runPostScript', 'during');
    expect(drive.effects).toEqual(all);
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(warningsOf(drive)).toEqual(['INTERRUPTED']);
  });

  it('cancels again when that was cut off', () => {
    const drive = driveRun(runOf(), {
      replies: { countTasks: allCancelled },
      interference: [
        { when: 'after', effect: 'queueTasks', fact: 'told' },
        { when: 'during', effect: 'cancelTasks', fact: 'takenOver' },
      ],
    });
    expect(drive.effects).toEqual([...begin, 'queueTasks', cancelByOperator, cancelByOperator, 'countTasks']);
  });

  it('leaves no task waiting when the window closed after the expansion that was cut off', () => {
    const drive = driveRun(runOf({ window: ['11:00-12:01'] }), {
      durationsMs: { expandPlan: 60_000 },
      replies: { countTasks: allCancelled },
      interference: [{ when: 'during', effect: 'expandPlan', fact: 'takenOver' }],
    });
    expect(drive.effects).toEqual([
      ...begin,
      'expandPlan',
      'queueTasks',
      'cancelTasks EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW',
      'countTasks',
    ]);
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW');
  });
});
