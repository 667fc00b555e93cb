import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan/plan.ts';
import { evolveRun } from './evolve-run.ts';
import type { RunEffectType } from './run-effect.ts';
import { queuedRun, type RunState } from './run-state.ts';
import { countReply, faultReply, parametersReply, RUN_START, runOf } from './testing/build-run.ts';
import { driveRun, endOf, type RunWorld, warningsOf } from './testing/drive-run.ts';

const HOUR_MS = 3_600_000;
const begin = ['readParameters', 'checkStore', 'expandPlan'];
const withScripts: Partial<Plan> = { prePlanScript: 'begin.sh', postPlanScript: 'end.sh' };
const cancelByOperator = 'cancelTasks EXECUTION_CANCELED_BY_OPERATOR';
const allCancelled = [countReply({ cancelled: 2 })];

describe('what stops a run', () => {
  it('a failed task under the error policy halt cancels what waits and leaves what goes on', () => {
    const drive = driveRun(runOf(), {
      replies: {
        countTasks: [
          countReply({ waiting: 1, running: 1, failed: 1 }, true),
          countReply({ running: 1, failed: 1, cancelled: 1 }, true),
          countReply({ succeeded: 1, failed: 1, cancelled: 1 }, true),
        ],
      },
    });
    expect(drive.effects.filter((effect) => effect.startsWith('cancelTasks'))).toEqual([
      'cancelTasks EXECUTION_CANCELED_BECAUSE_ERROR_POLICY',
    ]);
    expect(drive.performed.find(({ type }) => type === 'cancelTasks')).toMatchObject({
      includesRunning: false,
    });
    expect(endOf(drive)).toBe('PARTIAL EXECUTION_CANCELED_BECAUSE_ERROR_POLICY');
  });

  it('a halt that every waiting task learnt of before the run did is its reason all the same', () => {
    const countTasks = [countReply({ waiting: 2 }), countReply({ failed: 1, cancelled: 1 }, true)];
    const drive = driveRun(runOf(), { replies: { countTasks } });
    expect(drive.effects.join()).not.toContain('cancelTasks');
    expect(endOf(drive)).toBe('FAILED EXECUTION_CANCELED_BECAUSE_ERROR_POLICY');
    const last = driveRun(runOf(), {
      replies: { countTasks: [countReply({ succeeded: 1, failed: 1 }, true)] },
    });
    expect(endOf(last)).toBe('PARTIAL SOME_TASKS_FAILED');
  });

  it('a failed task under the error policy ignore stops nothing', () => {
    const countTasks = [countReply({ waiting: 1, failed: 1 }), countReply({ succeeded: 1, failed: 1 })];
    const drive = driveRun(runOf(), { replies: { countTasks } });
    expect(drive.effects.join()).not.toContain('cancelTasks');
    expect(endOf(drive)).toBe('PARTIAL SOME_TASKS_FAILED');
  });

  it('queue.maxHours ends a run that waited longer before it began', () => {
    const late = driveRun(runOf(), { startAt: RUN_START + 24 * HOUR_MS + 1 });
    expect(endOf(late)).toBe('SKIPPED PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED');
    expect(late.effects).toEqual(['readParameters']);
    const inTime = driveRun(runOf(), { startAt: RUN_START + 24 * HOUR_MS });
    expect(endOf(inTime)).toBe('SUCCEEDED -');
  });

  it('queue.maxHours cancels the tasks that still wait when it has passed', () => {
    const drive = driveRun(runOf(), {
      durationsMs: { queueTasks: HOUR_MS + 1 },
      replies: { readParameters: [parametersReply({ 'queue.maxHours': 1 })], countTasks: allCancelled },
    });
    expect(drive.effects).toContain('cancelTasks EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED');
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED');
  });

  it('a fault while tasks are queued fails the run and cancels them, once', () => {
    for (const effect of ['none', 'unknown'] as const) {
      const drive = driveRun(runOf({ postPlanScript: 'end.sh' }), {
        replies: { queueTasks: [faultReply('DATABASE_LOST', effect)], countTasks: allCancelled },
      });
      const postScript = effect === 'unknown' ? ['runPostScript'] : [];
      expect(drive.effects).toEqual([
        ...begin,
        'queueTasks',
        'cancelTasks DATABASE_LOST',
        'countTasks',
        ...postScript,
      ]);
      expect(endOf(drive)).toBe('FAILED DATABASE_LOST');
    }
  });

  it('a fault of the expansion fails the run, and no task that it may have made is left waiting', () => {
    const drive = driveRun(runOf(withScripts), {
      replies: { expandPlan: [faultReply('DATABASE_LOST', 'unknown')] },
    });
    expect(drive.effects).toEqual([...begin, 'cancelTasks DATABASE_LOST']);
    expect(endOf(drive)).toBe('FAILED DATABASE_LOST');
  });

  it('a fault of the parameters fails the run', () => {
    const drive = driveRun(runOf(), { replies: { readParameters: [faultReply('DATABASE_LOST')] } });
    expect(endOf(drive)).toBe('FAILED DATABASE_LOST');
  });

  it('also reaches a task that went on then and waits for another attempt now', () => {
    const drive = driveRun(runOf(), {
      durationsMs: { queueTasks: HOUR_MS + 1 },
      replies: {
        readParameters: [parametersReply({ 'queue.maxHours': 1 })],
        countTasks: [
          countReply({ running: 1, cancelled: 1 }),
          countReply({ waiting: 1, cancelled: 1 }),
          countReply({ failed: 1, cancelled: 1 }),
        ],
      },
    });
    const cancels = drive.effects.filter((effect) => effect.startsWith('cancelTasks'));
    expect(cancels).toEqual(Array(2).fill('cancelTasks EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED'));
    expect(endOf(drive)).toBe('FAILED EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED');
  });

  it('a cancel that cannot be carried out is tried again, each time after a pause', () => {
    const cancelTasks = [
      faultReply('DATABASE_LOST'),
      faultReply('DATABASE_LOST'),
      { ok: true as const, value: null },
    ];
    const drive = driveRun(runOf(), {
      replies: { cancelTasks, countTasks: allCancelled },
      interference: [{ when: 'after', effect: 'queueTasks', fact: 'told' }],
    });
    expect(drive.effects).toEqual([
      ...begin,
      'queueTasks',
      cancelByOperator,
      cancelByOperator,
      cancelByOperator,
      'countTasks',
    ]);
    expect(drive.endedAt).toBe(RUN_START + 2000);
  });
});

describe("an operator's cancel of a run", () => {
  it.each<[RunEffectType, 'before' | 'after', string[]]>([
    ['readParameters', 'before', []],
    ['checkStore', 'before', ['readParameters']],
    ['checkStore', 'after', ['readParameters', 'checkStore']],
    ['expandPlan', 'before', ['readParameters', 'checkStore']],
  ])('ends it at once while nothing was created: %s, %s', (effect, when, expected) => {
    const drive = driveRun(runOf(withScripts), { interference: [{ when, effect, fact: 'told' }] });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(drive.effects).toEqual(expected);
  });

  it('during the expansion cancels the tasks that it made; no script runs', () => {
    for (const when of ['during', 'after'] as const) {
      const drive = driveRun(runOf(withScripts), {
        replies: { countTasks: allCancelled },
        interference: [{ when, effect: 'expandPlan', fact: 'told' }],
      });
      expect(drive.effects).toEqual([...begin, cancelByOperator, 'countTasks']);
      expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    }
  });

  it('during the pre-plan script cancels the tasks; the post-plan script runs, for the first one did', () => {
    const drive = driveRun(runOf(withScripts), {
      replies: { countTasks: allCancelled },
      interference: [{ when: 'during', effect: 'runPreScript', fact: 'told' }],
    });
    expect(drive.effects).toEqual([
      ...begin,
      'runPreScript',
      cancelByOperator,
      'countTasks',
      'runPostScript',
    ]);
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
  });

  it('reaches the tasks that are going on', () => {
    const drive = driveRun(runOf(), {
      replies: {
        countTasks: [countReply({ waiting: 1, running: 1 }), countReply({ succeeded: 1, cancelled: 1 })],
      },
      interference: [{ when: 'after', effect: 'countTasks', fact: 'told' }],
    });
    expect(drive.effects).toEqual([...begin, 'queueTasks', 'countTasks', cancelByOperator, 'countTasks']);
    expect(drive.performed[5]).toMatchObject({ includesRunning: true });
    expect(endOf(drive)).toBe('PARTIAL EXECUTION_CANCELED_BY_OPERATOR');
  });

  it('also reaches them when waiting tasks were cancelled before for another reason', () => {
    const world: RunWorld = {
      durationsMs: { queueTasks: 60_000 },
      replies: { countTasks: [countReply({ running: 1, cancelled: 1 }), countReply({ cancelled: 2 })] },
    };
    for (const [when, effect] of [
      ['after', 'cancelTasks'],
      ['during', 'cancelTasks'],
      ['after', 'countTasks'],
    ] as const) {
      const drive = driveRun(runOf({ window: ['11:00-12:01'] }), {
        ...world,
        interference: [{ when, effect, fact: 'told' }],
      });
      const cancels = drive.performed.filter(({ type }) => type === 'cancelTasks');
      expect(cancels).toMatchObject([
        { reason: { code: 'EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW' }, includesRunning: false },
        { reason: { code: 'EXECUTION_CANCELED_BY_OPERATOR' }, includesRunning: true },
      ]);
    }
  });

  it('is carried out once, also when it is told twice', () => {
    const drive = driveRun(runOf(), {
      replies: { countTasks: allCancelled },
      interference: [
        { when: 'after', effect: 'queueTasks', fact: 'told' },
        { when: 'during', effect: 'cancelTasks', fact: 'told' },
      ],
    });
    expect(drive.effects.filter((effect) => effect === cancelByOperator)).toHaveLength(1);
  });

  it('changes nothing once every task has succeeded', () => {
    const drive = driveRun(runOf(withScripts), {
      interference: [{ when: 'during', effect: 'runPostScript', fact: 'told' }],
    });
    expect(drive.verdict).toEqual({ status: 'SUCCEEDED', reason: null, warnings: [] });
  });
});

describe('a script that goes on when the operator cancels', () => {
  const cutOff = [faultReply('SCRIPT_ABORTED', 'unknown')];

  it('before the tasks ends the run as cancelled, not as failed by the script', () => {
    const drive = driveRun(runOf(withScripts), {
      replies: { runPreScript: cutOff, countTasks: allCancelled },
      interference: [{ when: 'during', effect: 'runPreScript', fact: 'told' }],
    });
    expect(drive.effects).toEqual([...begin, 'runPreScript', cancelByOperator, 'countTasks']);
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(drive.state.isScriptGivenUp).toBe(false);
  });

  it('that has failed by itself meanwhile has failed the run', () => {
    const drive = driveRun(runOf(withScripts), {
      replies: { runPreScript: [{ ok: true, value: { exitCode: 3 } }], countTasks: allCancelled },
      interference: [{ when: 'during', effect: 'runPreScript', fact: 'told' }],
    });
    expect(endOf(drive)).toBe('FAILED PLAN_FAILED_PRE_SCRIPT');
  });

  it('after the tasks is a warning, for what they did stands', () => {
    const drive = driveRun(runOf(withScripts), {
      replies: { runPostScript: cutOff },
      interference: [{ when: 'during', effect: 'runPostScript', fact: 'told' }],
    });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(warningsOf(drive)).toEqual(['POST_SCRIPT_FAILED']);
  });

  it('is given up while it runs, by a second cancel too', () => {
    const command = {
      type: 'cancel',
      reason: { code: 'EXECUTION_CANCELED_BY_OPERATOR', detail: '' },
    } as const;
    const told = (state: RunState): RunState => evolveRun(state, { type: 'told', at: 0, command });
    const cancelled = told(queuedRun(runOf(withScripts)));
    expect(cancelled.isScriptGivenUp).toBe(false);
    const again = told({ ...cancelled, isStopCarriedOut: true, postScript: 'pending' });
    expect(again).toMatchObject({ isScriptGivenUp: true, isStopCarriedOut: false });
  });
});
