import { describe, expect, it } from 'vitest';
import { parametersInForce } from '../parameters/parameters.ts';
import type { Plan } from '../plan/plan.ts';
import { planWindow } from './plan-window.ts';

type Times = Pick<Plan, 'window' | 'timezone' | 'blackoutDates'>;

const windowOf = (times: Partial<Times>, parameters: Record<string, unknown> = {}) =>
  planWindow(
    { window: 'default', timezone: null, blackoutDates: [], ...times },
    parametersInForce(parameters),
    'Asia/Kathmandu',
  );

const night = { fromMinute: 22 * 60, toMinute: 6 * 60 };

describe("a plan's window", () => {
  it('is the default of the parameters where the plan says so', () => {
    expect(windowOf({}, { 'window.default': '22:00-06:00' })).toMatchObject({ timeframes: [night] });
    expect(windowOf({})).toMatchObject({ timeframes: null });
  });

  it('is always open with "none", whatever the default is', () => {
    expect(windowOf({ window: 'none' }, { 'window.default': '22:00-06:00' })).toMatchObject({
      timeframes: null,
    });
  });

  it("is the plan's own list before the default", () => {
    const own = windowOf({ window: ['12:00-13:00', ' 22:00-06:00 '] }, { 'window.default': '01:00-02:00' });
    expect(own).toMatchObject({ timeframes: [{ fromMinute: 720, toMinute: 780 }, night] });
  });

  it("is read in the plan's zone, else in that of the parameters, else in the host's", () => {
    const parameters = { timezone: 'Europe/Zurich' };
    expect(windowOf({ timezone: 'Asia/Tokyo' }, parameters)).toMatchObject({ timezone: 'Asia/Tokyo' });
    expect(windowOf({}, parameters)).toMatchObject({ timezone: 'Europe/Zurich' });
    expect(windowOf({})).toMatchObject({ timezone: 'Asia/Kathmandu' });
  });

  it('leaves out blackout dates, also when it is always open', () => {
    expect(windowOf({ window: 'none', blackoutDates: ['2026-12-24', '2026-12-31/2027-01-02'] })).toEqual({
      timeframes: null,
      blackoutDays: [
        { first: '2026-12-24', last: '2026-12-24' },
        { first: '2026-12-31', last: '2027-01-02' },
      ],
      timezone: 'Asia/Kathmandu',
    });
  });

  it.each<[string, Partial<Times>, Record<string, unknown>]>([
    ['TIMEFRAME_INVALID', { window: ['22-06'] }, {}],
    ['TIMEFRAME_INVALID', { window: [] }, {}],
    ['TIMEFRAME_INVALID', { window: ['none'] }, {}],
    ['TIMEFRAME_INVALID', {}, { 'window.default': '' }],
    ['BLACKOUT_INVALID', { blackoutDates: ['Christmas'] }, {}],
    ['TIMEZONE_UNKNOWN', { timezone: 'Mars' }, {}],
    ['TIMEZONE_UNKNOWN', {}, { timezone: 'Mars' }],
  ])('is refused with %s for %j and %j', (kind, times, parameters) => {
    expect(windowOf(times, parameters)).toHaveProperty('kind', kind);
  });
});
