import { type Parameters, type Plan, parametersInForce } from '@stillpoint/core';
import { describe, expect, it } from 'vitest';
import { sampleDevice } from '../testing/sample-device.ts';
import { sampleActivity, samplePlan } from '../testing/sample-plan.ts';
import { planCalendar } from './plan-calendar.ts';

const from = Date.parse('2026-03-01T00:00:00Z');
const DAY_MS = 86_400_000;

function calendarOf(
  plans: readonly Partial<Plan>[],
  {
    days = 1,
    durations = {},
    values = {},
  }: { days?: number; durations?: Record<string, number>; values?: Partial<Parameters> } = {},
) {
  const facts = {
    plans: plans.map((plan) => samplePlan({ timezone: 'UTC', ...plan })),
    devices: ['QA1', 'QA2', 'DEV1'].map((name) => sampleDevice({ name })),
    parameters: parametersInForce(values),
    hostTimezone: 'UTC',
    durationsMs: new Map(Object.entries(durations)),
  };
  return planCalendar(facts, from, from + days * DAY_MS);
}

const firesOf = (calendar: ReturnType<typeof calendarOf>) =>
  calendar.fires.map(({ at, plan }) => `${at.slice(5, 16)} ${plan}`);

const two = { name: 'two', schedule: '0 0 2 * * ?' };
const four = { name: 'four', schedule: '0 0 4 * * ?' };

describe('the calendar of plans', () => {
  it('lists the fires of all enabled plans that have a schedule, soonest first, up to its end', () => {
    const plans = [
      four,
      two,
      { name: 'off', schedule: '0 0 1 * * ?', isEnabled: false },
      { name: 'by hand' },
    ];
    const calendar = calendarOf(plans, { days: 2 });
    expect(firesOf(calendar)).toEqual([
      '03-01T02:00 two',
      '03-01T04:00 four',
      '03-02T02:00 two',
      '03-02T04:00 four',
    ]);
    expect(calendar).toMatchObject({
      from: '2026-03-01T00:00:00.000Z',
      until: '2026-03-03T00:00:00.000Z',
      notes: [],
    });
  });

  it('does not list a fire at its very end', () => {
    expect(firesOf(calendarOf([{ ...two, schedule: '0 0 0 * * ?' }]))).toEqual([]);
  });

  it('tells fires that would be skipped, and why', () => {
    const plans = [
      { ...two, window: ['03:00-05:00'] },
      { ...four, window: ['03:00-05:00'], blackoutDates: ['2026-03-02'] },
    ];
    expect(calendarOf(plans, { days: 2 }).fires).toMatchObject([
      {
        plan: 'two',
        isWindowOpen: false,
        sentence: 'Would be skipped: the window of two is closed then (UTC).',
      },
      { plan: 'four', isWindowOpen: true, sentence: null },
      { plan: 'two', isWindowOpen: false },
      {
        plan: 'four',
        isWindowOpen: false,
        sentence: 'Would be skipped: it is a blackout date of four (UTC).',
      },
    ]);
    expect(calendarOf([two], { values: { 'backups.enabled': false } }).fires).toMatchObject([
      { isWindowOpen: true, sentence: 'Would be skipped: backups are switched off.' },
    ]);
    expect(calendarOf([{ ...two, window: ['25-26'] }]).fires[0]?.sentence).toMatch(/^Would fail: /);
  });

  it('tells which plans on the same devices may still be going, by how long their last run took', () => {
    const other = { ...four, activities: [{ ...sampleActivity, devices: 'DEV*' }] };
    const overlapsOf = (plans: Partial<Plan>[], durations: Record<string, number>) =>
      calendarOf(plans, { durations }).fires.map(({ overlaps }) => overlaps);
    expect(overlapsOf([two, four], { two: 3 * 3_600_000 })).toEqual([[], ['two']]);
    expect(overlapsOf([two, four], { two: 3_600_000 })).toEqual([[], []]);
    expect(overlapsOf([two, other], { two: 3 * 3_600_000 })).toEqual([[], []]);
    expect(overlapsOf([two, { ...four, schedule: two.schedule }], {})).toEqual([[], ['two']]);
    expect(overlapsOf([{ ...two, schedule: '0 0 2,3 * * ?' }], { two: 2 * 3_600_000 })).toEqual([
      [],
      ['two'],
    ]);
    expect(overlapsOf([{ ...two, window: ['03:00-05:00'] }, four], { two: 3 * 3_600_000 })).toEqual([[], []]);
  });

  it('is bounded: a plan that fires every second leaves room for the others, and is told of', () => {
    const { fires, notes } = calendarOf([{ name: 'mad', schedule: '* * * * * ?' }, two], { days: 62 });
    expect(fires.filter(({ plan }) => plan === 'mad')).toHaveLength(200);
    expect(fires.filter(({ plan }) => plan === 'two')).toHaveLength(62);
    expect(notes).toEqual([
      'Of plan "mad" only the first 200 fires are listed, until 2026-03-01T00:03:20.000Z.',
    ]);
  });

  it('is bounded over all plans together', () => {
    const plans = Array.from({ length: 30 }, (_, at) => ({ name: `p${at}`, schedule: '0 0/5 * * * ?' }));
    const { fires, notes } = calendarOf(plans, { days: 62 });
    expect(fires).toHaveLength(2_000);
    expect(notes).toEqual(['Only the first 2000 fires are listed; ask for fewer days.']);
  });
});
