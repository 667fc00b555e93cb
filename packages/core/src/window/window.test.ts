import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimezone, isWindowOpen, type MaintenanceWindow, parseBlackout, parseTimeframe } from './window.ts';

function windowOf(texts: string[], timezone = 'UTC', blackouts: string[] = []): MaintenanceWindow {
  const timeframes = texts.map((text) => {
    const frame = parseTimeframe(text);
    if ('kind' in frame) throw new Error(frame.detail);
    return frame;
  });
  const blackoutDays = blackouts.map((text) => {
    const days = parseBlackout(text);
    if ('kind' in days) throw new Error(days.detail);
    return days;
  });
  return { timeframes: texts.length === 0 ? null : timeframes, blackoutDays, timezone };
}

const isOpen = (window: MaintenanceWindow, at: string): boolean => isWindowOpen(window, Date.parse(at));

describe('a maintenance window', () => {
  it('is open from its first minute up to, and not in, its last', () => {
    const window = windowOf(['22:00-23:30']);
    expect(isOpen(window, '2026-05-01T21:59:59Z')).toBe(false);
    expect(isOpen(window, '2026-05-01T22:00:00Z')).toBe(true);
    expect(isOpen(window, '2026-05-01T23:29:59Z')).toBe(true);
    expect(isOpen(window, '2026-05-01T23:30:00Z')).toBe(false);
  });

  it('may cross midnight', () => {
    const window = windowOf(['22:00-06:00']);
    expect(isOpen(window, '2026-05-01T23:00:00Z')).toBe(true);
    expect(isOpen(window, '2026-05-02T05:59:00Z')).toBe(true);
    expect(isOpen(window, '2026-05-02T06:00:00Z')).toBe(false);
  });

  it('is always open without timeframes, except on blackout dates of its own zone', () => {
    const window = windowOf([], 'America/New_York', ['2026-12-24/2026-12-25']);
    expect(isOpen(window, '2026-12-24T04:59:00Z')).toBe(true);
    expect(isOpen(window, '2026-12-24T05:00:00Z')).toBe(false);
    expect(isOpen(window, '2026-12-26T04:59:00Z')).toBe(false);
    expect(isOpen(window, '2026-12-26T05:00:00Z')).toBe(true);
  });

  it('follows the wall clock when the hour is put forward', () => {
    const window = windowOf(['01:30-03:30'], 'Europe/Zurich');
    expect(isOpen(window, '2026-03-29T00:59:00Z')).toBe(true);
    expect(isOpen(window, '2026-03-29T01:29:00Z')).toBe(true);
    expect(isOpen(window, '2026-03-29T01:30:00Z')).toBe(false);
  });

  it.each(['22:00', '22:00-22:00', '24:00-01:00', '2:00-3:00', '22:00-06:60', ''])(
    '"%s" is refused',
    (text) => {
      expect(parseTimeframe(text)).toHaveProperty('kind', 'TIMEFRAME_INVALID');
    },
  );

  it.each(['2026-02-30', '2026-12-26/2026-12-24', 'x', '2026-1-1', '2026-01-01/2026-01-02/2026-01-03'])(
    'the blackout date "%s" is refused',
    (text) => expect(parseBlackout(text)).toHaveProperty('kind', 'BLACKOUT_INVALID'),
  );

  it('knows zones by their names only', () => {
    expect(isTimezone('Europe/Zurich')).toBe(true);
    expect(isTimezone('Europe/Atlantis')).toBe(false);
    expect(isTimezone('+02:00')).toBe(false);
  });

  it('agrees with Intl about the minute of the day in several zones', () => {
    const zones = ['UTC', 'Europe/Zurich', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    const clocks = new Map(
      zones.map((timeZone) => [
        timeZone,
        new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
      ]),
    );
    const minute = fc.integer({ min: 0, max: 1439 });
    const text = (of: number): string =>
      `${String(Math.floor(of / 60)).padStart(2, '0')}:${String(of % 60).padStart(2, '0')}`;
    let cases = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        minute,
        minute,
        fc.integer({ min: 0, max: 4e12 }),
        (zone, a, b, at) => {
          fc.pre(a !== b);
          cases += 1;
          const [hour, min] = (clocks.get(zone)?.format(at) ?? '').split(':').map(Number) as [number, number];
          const local = hour * 60 + min;
          const expected = a < b ? a <= local && local < b : local >= a || local < b;
          expect(isWindowOpen(windowOf([`${text(a)}-${text(b)}`], zone), at)).toBe(expected);
        },
      ),
      { numRuns: 5000 },
    );
    console.log(`windows: ${cases} generated cases`);
  });
});
