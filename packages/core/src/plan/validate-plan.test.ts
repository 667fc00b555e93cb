import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parametersInForce } from '../parameters/parameters.ts';
import { exportOf, planOf, secureBackupOf } from '../testing/build-plan.ts';
import { planWindow } from '../window/plan-window.ts';
import type { Plan } from './plan.ts';
import { validatePlan } from './validate-plan.ts';

const now = Date.UTC(2026, 0, 1);
const refusalsOf = (plan: Plan): string[] =>
  validatePlan(plan, 'UTC', now).map(({ kind, path }) => `${kind} ${path.join('.')}`);

const good = planOf([
  secureBackupOf('QA*', { postTaskScript: { script: 'after.sh', when: 'always' } }),
  exportOf('TEST8, tag:env=QA', 'all-domains', { preTaskScript: 'before.sh' }),
]);

describe('a plan', () => {
  it('is kept when nothing is wrong with it', () => {
    const plan: Plan = {
      ...good,
      schedule: '0 0 2 * * ?',
      timezone: 'Europe/Zurich',
      window: ['22:00-06:00', '12:00-13:00'],
      blackoutDates: ['2026-12-24/2026-12-26'],
      prePlanScript: 'begin.sh',
      postPlanScript: 'end.sh',
    };
    expect(validatePlan(plan, 'UTC', now)).toEqual([]);
  });

  it.each<[string, string, Partial<Plan>]>([
    ['is enabled without an activity', 'PLAN_INVALID activities', { activities: [] }],
    ['names no zone that exists', 'TIMEZONE_UNKNOWN timezone', { timezone: 'Europe/Atlantis' }],
    ['gives an offset as its zone', 'TIMEZONE_UNKNOWN timezone', { timezone: '+02:00' }],
    ['cannot be scheduled', 'SCHEDULE_INVALID schedule', { schedule: '0 0 25 * * ?' }],
    ['never fires', 'SCHEDULE_INVALID schedule', { schedule: '0 0 0 31 2 ?' }],
    ['has a window that cannot be read', 'TIMEFRAME_INVALID window.1', { window: ['22:00-06:00', '6-7'] }],
    ['has a window of equal ends', 'TIMEFRAME_INVALID window.0', { window: ['22:00-22:00'] }],
    ['has the word none in a list of windows', 'TIMEFRAME_INVALID window.0', { window: ['none'] }],
    ['has a list of no windows', 'TIMEFRAME_INVALID window', { window: [] }],
    [
      'has a blackout date that is none',
      'BLACKOUT_INVALID blackoutDates.1',
      { blackoutDates: ['2026-01-01', '2026-02-30'] },
    ],
    ['leaves the scripts folder before', 'SCRIPT_NAME_INVALID prePlanScript', { prePlanScript: '../x' }],
    ['leaves the scripts folder after', 'SCRIPT_NAME_INVALID postPlanScript', { postPlanScript: '/bin/sh' }],
    [
      'has a device pattern that is none',
      'PATTERN_INVALID activities.1.devices',
      { activities: [exportOf('QA*', '*'), exportOf('', '*')] },
    ],
    [
      'has a domain pattern that is none',
      'PATTERN_INVALID activities.0.domains',
      { activities: [exportOf('QA*', 'A,,B')] },
    ],
    [
      'has a secure backup without a certificate',
      'PLAN_INVALID activities.0.certificate',
      { activities: [secureBackupOf('QA*', { certificate: ' ' })] },
    ],
    [
      'has a pre-task script elsewhere',
      'SCRIPT_NAME_INVALID activities.0.preTaskScript',
      { activities: [exportOf('QA*', '*', { preTaskScript: 'sub/x.sh' })] },
    ],
    [
      'has a post-task script elsewhere',
      'SCRIPT_NAME_INVALID activities.0.postTaskScript.script',
      { activities: [exportOf('QA*', '*', { postTaskScript: { script: '..', when: 'onFailure' } })] },
    ],
  ])('that %s is refused: %s', (_, expected, part) => {
    expect(refusalsOf({ ...good, ...part })).toEqual([expected]);
  });

  it('without an activity can be kept while it is disabled', () => {
    expect(refusalsOf(planOf([], { isEnabled: false }))).toEqual([]);
  });

  it('is told all that is wrong with it at once', () => {
    const plan = planOf(
      [
        secureBackupOf('', {
          certificate: '',
          preTaskScript: '.',
          postTaskScript: { script: '', when: 'always' },
        }),
        exportOf('tag:x', '!'),
      ],
      {
        timezone: 'Mars',
        schedule: 'x',
        window: ['x'],
        blackoutDates: ['x'],
        prePlanScript: 'a b',
        postPlanScript: 'a;b',
      },
    );
    // A schedule cannot be judged without a zone; it is looked at once the zone is right.
    expect(refusalsOf(plan)).toEqual([
      'TIMEZONE_UNKNOWN timezone',
      'TIMEFRAME_INVALID window.0',
      'BLACKOUT_INVALID blackoutDates.0',
      'SCRIPT_NAME_INVALID prePlanScript',
      'SCRIPT_NAME_INVALID postPlanScript',
      'PATTERN_INVALID activities.0.devices',
      'PLAN_INVALID activities.0.certificate',
      'SCRIPT_NAME_INVALID activities.0.preTaskScript',
      'SCRIPT_NAME_INVALID activities.0.postTaskScript.script',
      'PATTERN_INVALID activities.1.devices',
      'PATTERN_INVALID activities.1.domains',
    ]);
  });

  it('is refused in one plain sentence that names the value', () => {
    const plan = planOf([exportOf('a,,b', '*')], { timezone: 'Mars', window: ['6-7'], prePlanScript: 'a/b' });
    const details = validatePlan(plan, 'UTC', now).map(({ detail }) => detail);
    for (const value of ['Mars', '6-7', 'a/b', 'a,,b']) {
      expect(details.some((detail) => detail.includes(`"${value}"`))).toBe(true);
    }
    for (const detail of details) expect(detail).toMatch(/\.$/);
  });

  it.each(['', '..', 'a/b.sh', 'x\n.sh', 'x\0', 'é.sh', '.hidden', 'a\\b', '~', '$HOME', 'x'.repeat(256)])(
    'may not name the script %j',
    (prePlanScript) => {
      expect(refusalsOf({ ...good, prePlanScript })).toEqual(['SCRIPT_NAME_INVALID prePlanScript']);
    },
  );

  it('that is kept has a window that can be read when it runs', () => {
    const texts = fc.constantFrom('22:00-06:00', '1-2', 'none', '', '22:00-22:00', '01:00-02:00,03:00-04:00');
    const window = fc.oneof(
      fc.constantFrom('none' as const, 'default' as const),
      fc.array(texts, { maxLength: 2 }),
    );
    const blackoutDates = fc.array(fc.constantFrom('2026-12-24', '2026-13-01', 'x'), { maxLength: 2 });
    const timezone = fc.constantFrom(null, 'UTC', 'Mars', 'Asia/Tokyo');
    fc.assert(
      fc.property(window, blackoutDates, timezone, (of, dates, zone) => {
        const plan = { ...good, window: of, blackoutDates: dates, timezone: zone };
        const isKept = validatePlan(plan, 'UTC', now).length === 0;
        expect(!('kind' in planWindow(plan, parametersInForce({}), 'UTC'))).toBe(isKept);
      }),
    );
  });
});
