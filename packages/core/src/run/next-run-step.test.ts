import { describe, expect, it } from 'vitest';
import type { Parameters } from '../parameters/parameters.ts';
import type { Plan } from '../plan/plan.ts';
import { evolveRun } from './evolve-run.ts';
import { nextRunStep } from './next-run-step.ts';
import { queuedRun } from './run-state.ts';
import { countReply, countsOf, faultReply, parametersReply, RUN_START, runOf } from './testing/build-run.ts';
import { driveRun, endOf, type RunWorld, warningsOf } from './testing/drive-run.ts';

const HOUR_MS = 3_600_000;
const begin = ['readParameters', 'checkStore', 'expandPlan'];
const withScripts: Partial<Plan> = { prePlanScript: 'begin.sh', postPlanScript: 'end.sh' };
const allCancelled = [countReply({ cancelled: 2 })];
const withParameters = (values: Record<string, unknown>): RunWorld => ({
  replies: { readParameters: [parametersReply(values as Partial<Parameters>)] },
});

describe('a run for which all goes well', () => {
  it('checks, expands, queues, counts and succeeds', () => {
    const drive = driveRun(runOf());
    expect(drive.effects).toEqual([...begin, 'queueTasks', 'countTasks']);
    expect(drive.verdict).toEqual({ status: 'SUCCEEDED', reason: null, warnings: [] });
  });

  it('runs its scripts around its tasks', () => {
    const drive = driveRun(runOf(withScripts));
    expect(drive.effects).toEqual([...begin, 'runPreScript', 'queueTasks', 'countTasks', 'runPostScript']);
    expect(drive.performed.at(-1)).toEqual({ type: 'runPostScript', statusCode: 'SUCCEEDED', message: null });
  });

  it('counts its tasks once a second until none is left', () => {
    const countTasks = [countReply({ waiting: 2 }), countReply({ running: 1 }), countReply({ succeeded: 2 })];
    const drive = driveRun(runOf(), { replies: { countTasks } });
    expect(drive.effects.filter((effect) => effect === 'countTasks')).toHaveLength(3);
    expect(drive.endedAt).toBe(RUN_START + 2000);
  });

  it('goes on counting when a count fails', () => {
    const countTasks = [faultReply('DATABASE_LOST'), countReply({ succeeded: 2 })];
    const drive = driveRun(runOf(), { replies: { countTasks } });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.endedAt).toBe(RUN_START + 1000);
  });

  it('tells its pauses by how long it is driven, and its window by what the clock says', () => {
    const counts = countsOf({ waiting: 1 });
    const { parameters } = driveRun(runOf()).state;
    const queued = queuedRun(runOf({ window: ['11:00-13:00'] }));
    const going = { ...queued, isStarted: true, areTasksQueued: true, parameters };
    const state = { ...going, counts, countedAt: RUN_START };
    const pausing = { kind: 'wait', until: RUN_START + 1000 };
    const reason = { code: 'EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW' };
    expect(nextRunStep(state, RUN_START + 999, RUN_START)).toEqual(pausing);
    expect(nextRunStep(state, RUN_START + 999, RUN_START - HOUR_MS)).toEqual(pausing);
    expect(nextRunStep(state, RUN_START + 999, RUN_START + HOUR_MS)).toMatchObject({ effect: { reason } });
  });

  it('does not wait for the clock of another node', () => {
    const state = { ...queuedRun(runOf()), isStarted: true, counts: countsOf({ running: 1 }) };
    const failing = { ...state, areTasksQueued: true, countedAt: RUN_START, stopFailedAt: RUN_START };
    const at = RUN_START - HOUR_MS;
    const taken = evolveRun(failing, { type: 'takenOver', at });
    expect(nextRunStep(taken, at)).toMatchObject({ effect: { type: 'countTasks' } });
    const told = { type: 'cancel', reason: { code: 'X', detail: '' } } as const;
    const stopped = evolveRun(taken, { type: 'told', at: RUN_START, command: told });
    expect(nextRunStep(stopped, at)).toMatchObject({ effect: { type: 'cancelTasks' } });
  });

  it('is not asked for a step while an effect is pending', () => {
    const spec = runOf();
    const noted = evolveRun(queuedRun(spec), { type: 'noted', at: RUN_START, note: { type: 'started' } });
    const intended = evolveRun(noted, { type: 'intended', at: RUN_START, effect: { type: 'expandPlan' } });
    expect(() => nextRunStep(intended, RUN_START)).toThrow('expandPlan is pending');
  });

  it('keeps its verdict once it has ended', () => {
    const { state, verdict, endedAt } = driveRun(runOf());
    const ended = evolveRun(state, { type: 'ended', at: endedAt, verdict });
    expect(nextRunStep(ended, endedAt + HOUR_MS)).toEqual({ kind: 'finish', verdict });
  });
});

describe('a row of the table of runs that says no', () => {
  const closed: Partial<Plan> = { window: ['22:00-23:00'] };

  it.each<[string, string, Partial<Plan>, Record<string, unknown>]>([
    ['1: backups are switched off', 'SKIPPED BACKUPS_ARE_DISABLED', {}, { 'backups.enabled': false }],
    ['2: the window is closed', 'SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW', closed, {}],
    [
      '2: the default window is closed',
      'SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW',
      { window: 'default' },
      { 'window.default': '22:00-23:00' },
    ],
    [
      '2: today is a blackout date',
      'SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW',
      { blackoutDates: ['2026-01-01'] },
      {},
    ],
    [
      '2: the window cannot be read',
      'FAILED PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT',
      { window: ['22-23'] },
      {},
    ],
    [
      '2: the default window cannot be read',
      'FAILED PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT',
      { window: 'default' },
      { 'window.default': 'at night' },
    ],
    [
      '2: the quiesce time-out is under 60 seconds',
      'FAILED PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT',
      {},
      { 'quiesce.timeoutSeconds': 59 },
    ],
  ])('ends the run before anything is looked at: %s', (_, expected, plan, values) => {
    const drive = driveRun(runOf({ ...withScripts, ...plan }), withParameters(values));
    expect(endOf(drive)).toBe(expected);
    expect(drive.effects).toEqual(['readParameters']);
  });

  it.each([
    'STORE_PATH_NOT_SET',
    'STORE_PATH_INVALID',
    'STORE_DOES_NOT_EXIST',
    'STORE_IS_NOT_MOUNTED',
    'STORE_MARKER_MISSING',
    'STORE_MARKER_UNREADABLE',
    'STORE_MARKER_DIFFERS',
  ])('3: a store that says %s is not the mounted one', (code) => {
    const drive = driveRun(runOf(withScripts), { replies: { checkStore: [faultReply(code)] } });
    expect(endOf(drive)).toBe('FAILED PRE_VALIDATION_STORE_IS_NOT_MOUNTED');
    expect(drive.verdict.reason?.detail).toBe(`It was ${code}.`);
    expect(drive.effects).toEqual(['readParameters', 'checkStore']);
  });

  it("3: any other fault of the store is told under the store's own code", () => {
    const drive = driveRun(runOf(), { replies: { checkStore: [faultReply('STORE_NOT_RESPONDING')] } });
    expect(endOf(drive)).toBe('FAILED STORE_NOT_RESPONDING');
  });

  it('4: the store has too little free space', () => {
    const full = driveRun(runOf(), { replies: { checkStore: [{ ok: true, value: { freePercent: 9.96 } }] } });
    expect(endOf(full)).toBe('FAILED PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE');
    expect(full.effects).toEqual(['readParameters', 'checkStore']);
    const enough = driveRun(runOf(), { replies: { checkStore: [{ ok: true, value: { freePercent: 10 } }] } });
    expect(endOf(enough)).toBe('SUCCEEDED -');
  });

  it('6: every task is skipped, so no script runs', () => {
    const expandPlan = [{ ok: true as const, value: { counts: countsOf({ skipped: 3 }) } }];
    const drive = driveRun(runOf(withScripts), { replies: { expandPlan } });
    expect(endOf(drive)).toBe('SKIPPED ALL_TASKS_SKIPPED');
    expect(drive.effects).toEqual(begin);
  });

  it('7: the pre-plan script fails, so every waiting task is cancelled and no other script runs', () => {
    for (const reply of [{ ok: true as const, value: { exitCode: 3 } }, faultReply('SCRIPT_TIMED_OUT')]) {
      const drive = driveRun(runOf(withScripts), {
        replies: { runPreScript: [reply], countTasks: allCancelled },
      });
      expect(endOf(drive)).toBe('FAILED PLAN_FAILED_PRE_SCRIPT');
      expect(drive.effects).toEqual([
        ...begin,
        'runPreScript',
        'cancelTasks PLAN_FAILED_PRE_SCRIPT',
        'countTasks',
      ]);
    }
  });

  it('9: the post-plan script fails, which is a warning', () => {
    for (const reply of [{ ok: true as const, value: { exitCode: 1 } }, faultReply('SCRIPT_TIMED_OUT')]) {
      const drive = driveRun(runOf(withScripts), { replies: { runPostScript: [reply] } });
      expect(endOf(drive)).toBe('SUCCEEDED -');
      expect(warningsOf(drive)).toEqual(['POST_SCRIPT_FAILED']);
    }
  });

  it('names the value in a plain sentence', () => {
    const drive = driveRun(runOf(), withParameters({ 'quiesce.timeoutSeconds': 59 }));
    expect(drive.verdict.reason?.detail).toMatch(/59.*60\.$/);
  });

  it('is heard in the order of the table: the first no decides', () => {
    const plan = { window: ['22:00-23:00'] };
    const store = { checkStore: [faultReply('STORE_IS_NOT_MOUNTED')] };
    const codeOf = (of: Partial<Plan>, values: Partial<Parameters>): string =>
      endOf(driveRun(runOf(of), { replies: { ...store, readParameters: [parametersReply(values)] } }));
    const off = { 'backups.enabled': false, 'quiesce.timeoutSeconds': 1 };
    expect(codeOf({ window: ['x'] }, off)).toBe('SKIPPED BACKUPS_ARE_DISABLED');
    expect(codeOf(plan, { 'quiesce.timeoutSeconds': 1 })).toMatch('SYSPARM_TOO_SHORT');
    expect(codeOf(plan, {})).toMatch('OUT_OF_MAINTENANCE_WINDOW');
    expect(codeOf({}, {})).toMatch('STORE_IS_NOT_MOUNTED');
  });

  it('is heard again after the store was checked, for that may have taken long', () => {
    const spec = runOf({ window: ['11:00-12:01'] });
    const drive = driveRun(spec, { durationsMs: { checkStore: 120_000 } });
    expect(endOf(drive)).toBe('SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW');
    expect(drive.effects).toEqual(['readParameters', 'checkStore']);
  });
});

describe('the window of a run', () => {
  const spec = runOf({ window: ['11:00-12:01'], postPlanScript: 'end.sh' });

  it('closes: waiting tasks are cancelled, going ones finish, the post-plan script runs', () => {
    const drive = driveRun(spec, {
      durationsMs: { queueTasks: 60_000 },
      replies: {
        countTasks: [countReply({ running: 1, cancelled: 1 }), countReply({ succeeded: 1, cancelled: 1 })],
      },
    });
    expect(drive.effects).toEqual([
      ...begin,
      'queueTasks',
      'cancelTasks EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW',
      'countTasks',
      'countTasks',
      'runPostScript',
    ]);
    expect(drive.performed[4]).toMatchObject({ includesRunning: false });
    expect(drive.performed.at(-1)).toMatchObject({
      statusCode: 'EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW',
    });
    expect(endOf(drive)).toBe('PARTIAL EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW');
  });

  it('cancels nothing when it closes while no task waits', () => {
    const drive = driveRun(spec, {
      durationsMs: { countTasks: 30_000 },
      replies: {
        countTasks: [countReply({ running: 2 }), countReply({ running: 2 }), countReply({ succeeded: 2 })],
      },
    });
    expect(drive.effects.join()).not.toContain('cancelTasks');
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });

  it('does not hold a run for which an admin overrode it, neither at the start nor later', () => {
    const overridden = runOf(
      { window: ['22:00-23:00'], blackoutDates: ['2026-01-01'] },
      { windowOverrideReason: 'firmware upgrade tonight' },
    );
    const countTasks = [countReply({ waiting: 2 }), countReply({ succeeded: 2 })];
    const drive = driveRun(overridden, { replies: { countTasks } });
    expect(drive.effects).toEqual([...begin, 'queueTasks', 'countTasks', 'countTasks']);
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });
});
