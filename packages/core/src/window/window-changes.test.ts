import { describe, expect, it } from 'vitest';
import { isWindowOpen, type MaintenanceWindow, parseBlackout, parseWindowText } from './window.ts';
import { nextWindowOpening, windowClosesAt } from './window-changes.ts';

function windowOf(text: string, timezone = 'UTC', blackouts: readonly string[] = []): MaintenanceWindow {
  const read = parseWindowText(text);
  if ('kind' in read) throw new Error(read.detail);
  const blackoutDays = blackouts.map((each) => {
    const days = parseBlackout(each);
    if ('kind' in days) throw new Error(days.detail);
    return days;
  });
  return { timeframes: read.timeframes, blackoutDays, timezone };
}

const text = (atMs: number | null): string | null =>
  atMs === null ? null : new Date(atMs).toISOString().replace(':00.000Z', 'Z');
const opening = (window: MaintenanceWindow, at: string): string | null =>
  text(nextWindowOpening(window, Date.parse(at)));
const closing = (window: MaintenanceWindow, at: string): string | null =>
  text(windowClosesAt(window, Date.parse(at)));

describe('the next opening and closing of a window', () => {
  it('are now while it is open, or closed', () => {
    const window = windowOf('22:00-06:00');
    expect(opening(window, '2026-05-01T23:00:00.123Z')).toBe('2026-05-01T23:00:00.123Z');
    expect(closing(window, '2026-05-01T12:00:00.123Z')).toBe('2026-05-01T12:00:00.123Z');
  });

  it('are over midnight, and at the end of what overlaps or joins', () => {
    const window = windowOf('20:00-23:00, 22:00-00:00, 00:00-01:30, 01:30-06:00');
    expect(opening(window, '2026-05-01T12:00:00Z')).toBe('2026-05-01T20:00Z');
    expect(closing(window, '2026-05-01T21:00:00Z')).toBe('2026-05-02T06:00Z');
  });

  it('leave out blackout dates, however many', () => {
    const window = windowOf('22:00-06:00', 'Europe/Zurich', [
      '2026-12-24/2026-12-26',
      '2026-12-26/2027-01-02',
    ]);
    expect(closing(window, '2026-12-23T21:30:00Z')).toBe('2026-12-23T23:00Z');
    expect(opening(window, '2026-12-23T23:00:00Z')).toBe('2027-01-02T23:00Z');
  });

  it('of a window that is open all day are those of its blackout dates alone', () => {
    const dates = ['2028-02-29', '2027-05-01'];
    for (const window of [
      windowOf('none', 'Asia/Tokyo', dates),
      windowOf('06:00-18:00,18:00-06:00', 'Asia/Tokyo', dates),
    ]) {
      expect(closing(window, '2026-05-01T00:00:00Z')).toBe('2027-04-30T15:00Z');
      expect(opening(window, '2027-04-30T15:00:00Z')).toBe('2027-05-01T15:00Z');
      expect(closing(window, '2028-03-01T00:00:00Z')).toBeNull();
    }
  });

  it('never come when it is always open, or has no timeframe at all', () => {
    expect(closing(windowOf('none'), '2026-05-01T00:00:00Z')).toBeNull();
    expect(opening({ ...windowOf('none'), timeframes: [] }, '2026-05-01T00:00:00Z')).toBeNull();
  });

  it('lie far off when all days up to the last of the calendar are blacked out', () => {
    const window = windowOf('none', 'UTC', ['2026-01-01/9999-12-31']);
    expect(opening(window, '2026-05-01T00:00:00Z')).toBe('+010000-01-01T00:00Z');
  });

  it('follow a clock that is put forward, also into or out of the window', () => {
    expect(closing(windowOf('01:00-03:30', 'Europe/Zurich'), '2026-03-29T00:30:00Z')).toBe(
      '2026-03-29T01:30Z',
    );
    expect(opening(windowOf('02:30-04:00', 'Europe/Zurich'), '2026-03-29T00:30:00Z')).toBe(
      '2026-03-29T01:00Z',
    );
    expect(closing(windowOf('01:00-02:30', 'Europe/Zurich'), '2026-03-29T00:30:00Z')).toBe(
      '2026-03-29T01:00Z',
    );
    expect(opening(windowOf('02:15-02:45', 'Europe/Zurich'), '2026-03-29T00:30:00Z')).toBe(
      '2026-03-30T00:15Z',
    );
  });

  it('follow a clock that is put back, and come twice in the hour that does', () => {
    const window = windowOf('02:30-04:00', 'Europe/Zurich');
    expect(opening(window, '2026-10-24T23:00:00Z')).toBe('2026-10-25T00:30Z');
    expect(closing(window, '2026-10-25T00:30:00Z')).toBe('2026-10-25T01:00Z');
    expect(opening(window, '2026-10-25T01:00:00Z')).toBe('2026-10-25T01:30Z');
    expect(closing(window, '2026-10-25T01:30:00Z')).toBe('2026-10-25T03:00Z');
  });

  it('never lie before the instant that is asked from, where the clock is put back into a blackout date', () => {
    // On 7 November 2010 at 00:01 St John's put its clock back to 23:01 of the day before.
    const dates = ['2010-11-06'];
    expect(opening(windowOf('none', 'America/St_Johns', dates), '2010-11-07T02:45:00Z')).toBe(
      '2010-11-07T03:30Z',
    );
    expect(opening(windowOf('10:00-11:00', 'America/St_Johns', dates), '2010-11-07T02:45:00Z')).toBe(
      '2010-11-07T13:30Z',
    );
  });

  it('are not those of a blackout date that a zone has left out', () => {
    // Samoa went over the date line at the end of 29 December 2011.
    const window = windowOf('none', 'Pacific/Apia', ['2011-12-30', '2012-01-02']);
    expect(closing(window, '2011-12-29T00:00:00Z')).toBe('2012-01-01T10:00Z');
  });

  it('begin the day with its first minute where midnight is left out', () => {
    const window = windowOf('none', 'Africa/Cairo', ['2026-04-23']);
    expect(opening(window, '2026-04-23T12:00:00Z')).toBe('2026-04-23T22:00Z');
    expect(isWindowOpen(window, Date.parse('2026-04-23T21:59:59Z'))).toBe(false);
  });
});
