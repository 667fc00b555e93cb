import { Temporal } from '@js-temporal/polyfill';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOfWallTime, wallTimeAt } from './wall-time.ts';

const zones = [
  'UTC',
  'Europe/Zurich',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Cairo',
];
const shown = (timezone: string, at: string): string =>
  new Date(wallTimeAt(timezone, Date.parse(at))).toISOString();
const instant = (timezone: string, wall: string): string =>
  new Date(instantOfWallTime(timezone, Date.parse(wall))).toISOString();

describe('a wall clock', () => {
  it('shows the time of its zone', () => {
    expect(shown('Asia/Kathmandu', '2026-05-01T00:00:00.250Z')).toBe('2026-05-01T05:45:00.250Z');
  });

  it('shows a time that comes twice for the second time at the instant of it', () => {
    expect(shown('Europe/Zurich', '2026-10-25T00:30:00Z')).toBe('2026-10-25T02:30:00.000Z');
    expect(shown('Europe/Zurich', '2026-10-25T01:30:00Z')).toBe('2026-10-25T02:30:00.000Z');
    expect(instant('Europe/Zurich', '2026-10-25T02:30:00Z')).toBe('2026-10-25T01:30:00.000Z');
  });

  it('would have shown a time that is left out at the instant of it, had it not been put forward', () => {
    expect(instant('Europe/Zurich', '2026-03-29T02:30:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(instant('Australia/Lord_Howe', '2026-10-04T02:10:00Z')).toBe('2026-10-03T15:40:00.000Z');
  });

  it('agrees with Temporal', () => {
    const seconds = fc.integer({ min: 0, max: 4e9 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), seconds, (timezone, second) => {
        const at = Temporal.Instant.fromEpochMilliseconds(second * 1000);
        const local = at.toZonedDateTimeISO(timezone);
        expect(wallTimeAt(timezone, second * 1000)).toBe(second * 1000 + local.offsetNanoseconds / 1e6);
        const wall = at.toZonedDateTimeISO('UTC').toPlainDateTime();
        const { epochMilliseconds } = wall.toZonedDateTime(timezone, { disambiguation: 'later' });
        expect(instantOfWallTime(timezone, second * 1000)).toBe(epochMilliseconds);
      }),
      { numRuns: 2000 },
    );
  });
});
