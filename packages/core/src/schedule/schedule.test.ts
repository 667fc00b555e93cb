import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firesBetween, nextFire, nextFires, parseSchedule } from './schedule.ts';

const now = Date.UTC(2026, 0, 1);

function firesOf(line: string, timezone: string, from: string, count: number): string[] {
  const schedule = parseSchedule(line, timezone, now);
  if ('kind' in schedule) throw new Error(schedule.detail);
  const fires: string[] = [];
  let at: number | null = Date.parse(from);
  for (let i = 0; i < count && at !== null; i++) {
    at = nextFire(schedule, at);
    if (at !== null) fires.push(new Date(at).toISOString());
  }
  return fires;
}

describe('a schedule', () => {
  it.each([
    ['0 0 2 * * ?', '2026-01-01T02:00:00.000Z'],
    ['0 0 2 ? * 1', '2026-01-04T02:00:00.000Z'],
    ['0 0 2 ? * MON-FRI', '2026-01-01T02:00:00.000Z'],
    ['0 0 2 ? * 6#3', '2026-01-16T02:00:00.000Z'],
    ['0 0 2 ? * 6L', '2026-01-30T02:00:00.000Z'],
    ['0 0 2 LW * ?', '2026-01-30T02:00:00.000Z'],
    ['0 0 2 L * ?', '2026-01-31T02:00:00.000Z'],
    ['0 0 2 1 1 ? 2028', '2028-01-01T02:00:00.000Z'],
    ['0 0 2 29 2 ?', '2028-02-29T02:00:00.000Z'],
    ['0 2 * * *', '2026-01-01T02:00:00.000Z'],
    ['0 2 * * 0', '2026-01-04T02:00:00.000Z'],
    ['0 2 * * 7', '2026-01-04T02:00:00.000Z'],
    ['30 2 * * 1-5', '2026-01-01T02:30:00.000Z'],
  ])('%s fires next at %s', (line, expected) => {
    expect(firesOf(line, 'UTC', '2025-12-31T23:59:59Z', 1)).toEqual([expected]);
  });

  it('follows its own zone through a change of the clock', () => {
    expect(firesOf('0 0 4 * * ?', 'Europe/Zurich', '2026-03-28T00:00:00Z', 2)).toEqual([
      '2026-03-28T03:00:00.000Z',
      '2026-03-29T02:00:00.000Z',
    ]);
  });

  it.each([
    ['0 2 * * *', '0 0 2 * * ?'],
    ['*/15 8-18 * * mon-fri', '0 */15 8-18 ? * MON-FRI'],
    ['0 2 1 jan *', '0 0 2 1 JAN ?'],
    ['0 2 1 JAN-JUN/2 *', '0 0 2 1 1-6/2 ?'],
    ['0 2 * * 0', '0 0 2 ? * SUN'],
    ['0 2 * * 7', '0 0 2 ? * SUN'],
    ['0 2 * * 5-7', '0 0 2 ? * FRI-SUN'],
    ['0 2 * * sat-mon', '0 0 2 ? * SAT-MON'],
    ['0 2 * * 0,6', '0 0 2 ? * SAT,SUN'],
    ['0 2 * * 1-7/2', '0 0 2 ? * SUN,MON,WED,FRI'],
    ['0 2 * * */2', '0 0 2 ? * TUE,THU,SAT,SUN'],
    ['0 2 * * 0-7', '0 0 2 * * ?'],
  ])('of Unix, %s, is shown as %s', (line, expected) => {
    expect(parseSchedule(line, 'UTC', now)).toEqual({ expression: expected, timezone: 'UTC' });
  });

  it('is kept in capital letters with single blanks', () => {
    const schedule = parseSchedule(' 0\t0 2  ? jan-Mar fri#3 ', 'UTC', now);
    expect(schedule).toEqual({ expression: '0 0 2 ? JAN-MAR FRI#3', timezone: 'UTC' });
  });

  it.each([
    ['60 0 2 * * ?', 'the second "60" is not allowed (0 to 59 with * , - /)'],
    ['0 0-60 2 * * ?', 'the minute "0-60" is not allowed (0 to 59 with * , - /)'],
    ['0 0 31 2 * ?', 'the hour "31" is not allowed (0 to 23 with * , - /)'],
    ['0 0 2 0 * ?', 'the day-of-month "0" is not allowed'],
    ['0 0 2 32W * ?', 'the day-of-month "32W" is not allowed'],
    ['0 0 2 1 13 ?', 'the month "13" is not allowed (1 to 12 or JAN to DEC with * , - /)'],
    ['0 0 2 1 JANUARY ?', 'the month "JANUARY" is not allowed'],
    ['0 0 2 ? * 0', 'the day-of-week "0" is not allowed (1 to 7 or SUN to SAT (1 = SUN)'],
    ['0 0 2 ? * FREI', 'the day-of-week "FREI" is not allowed'],
    ['0 0 2 1 1 ? 1969', 'the year "1969" is not allowed (1970 to 2199 with * , - /)'],
    ['0 0 2 1 1 ? 2030-2027', 'the year "2030-2027" is not allowed (the first year of a range comes first)'],
    ['0 0/60 2 * * ?', 'the step of the minute "0/60" is not allowed (1 to 59)'],
    ['0 0/0 2 * * ?', 'the step of the minute "0/0" is not allowed'],
    ['0 0 2,,3 * * ?', 'the hour "" is not allowed'],
    ['0 0 2-4-6 * * ?', 'the hour "2-4-6" is not allowed'],
    ['0 0 2.5 * * ?', 'the hour "2.5" is not allowed'],
    ['0 0 -2 * * ?', 'the hour "-2" is not allowed'],
    ['0 ? 2 * * ?', 'the minute "?" is not allowed'],
    ['0 L 2 * * ?', 'the minute "L" is not allowed'],
  ])('%s is refused: %s', (line, why) => {
    expect(parseSchedule(line, 'UTC', now)).toMatchObject({ detail: expect.stringContaining(why) });
  });

  // Each of these Quartz takes, and does something else than it says.
  it.each([
    ['0 0 2 15W,20 * ?', 'the day-of-month "15W" is not allowed'],
    ['0 0 2 1-5W * ?', 'the day-of-month "1-5W" is not allowed'],
    ['0 0 2 ? * FRI#3,MON', 'the day-of-week "FRI#3" is not allowed'],
    ['0 0 2 ? * 2-6L', 'the day-of-week "2-6L" is not allowed'],
    ['0 0 2 ? * 6LW', 'the day-of-week "6LW" is not allowed'],
    ['0 0 2 ? * MON-FRI/2', 'a name takes no step; write numbers'],
    ['0 0 2 1 JAN/5 ?', 'a name takes no step; write numbers'],
  ])('%s, of which Quartz makes something else, is refused: %s', (line, why) => {
    expect(parseSchedule(line, 'UTC', now)).toMatchObject({ detail: expect.stringContaining(why) });
  });

  it.each([
    ['0 0 2 L,15 * ?', 'the day-of-month "L" is not allowed'],
    ['0 0 2 L-31 * ?', 'L, or L-1 to L-30'],
    ['0 0 2 ? * 6#6', '# is followed by 1 to 5'],
    ['0 0 2 ? * 6L,2', 'the day-of-week "6L" is not allowed'],
    ['0 0 0 31 2 ?', 'it never fires, none of its years has such a day'],
    ['0 0 0 30 2 ?', 'it never fires, none of its years has such a day'],
    ['0 0 0 29 2 ? 2101', 'it never fires, none of its years has such a day'],
    ['0 0 2 31W 4 ?', 'it never fires, none of its years has such a day'],
    ['0 0 2 1 1 ? 2020', 'it never fires again, its years are past'],
    ['0 0 2 ? * ?', 'must be open, that is "?" (they are "?" and "?")'],
    ['0 0 2 * * *', 'must be open, that is "?" (they are "*" and "*")'],
    ['0 0 2 1 * MON', 'must be open'],
    ['0 2 1 * 1', 'a Unix line fires when either of its day fields fits'],
    ['0 2 ? * 1', '"?" is not known to Unix lines of 5 fields'],
    ['0 2 * * 5L', '"5L" is not known to Unix lines of 5 fields'],
    ['5/15 2 * * *', 'a step follows * or a range'],
    ['0 2 * * 8', 'the day-of-week "8" is not allowed (0 to 7 or SUN to SAT'],
    ['0 24 * * *', 'the hour "24" is not allowed'],
    ['@daily', '6 or 7 fields'],
    ['nonsense', '6 or 7 fields'],
    ['0 0 2 * * ? 2026 7', '6 or 7 fields'],
    ['', 'it is empty'],
    [' \t ', 'it is empty'],
    ['0 0 2 *\n* ?', 'it holds a character that is no plain letter, digit or sign'],
    ['0 0 2\u00a0* * ?', 'it holds a character'],
    ['0 0 \u0662 * * ?', 'it holds a character'],
    ['\u001b[2J 0 2 * * ?', 'it holds a character'],
  ])('%j is refused: %s', (line, why) => {
    const refusal = parseSchedule(line, 'UTC', now);
    expect(refusal).toMatchObject({ kind: 'SCHEDULE_INVALID', detail: expect.stringContaining(why) });
    const { detail } = refusal as { detail: string };
    expect(detail).toMatch(/^The schedule "[\x20-\x7e]*" is not valid: [\x20-\x7e]+\.$/);
    expect(detail.length).toBeLessThan(400);
  });

  it('is refused when it is longer than 256 characters, and not told whole', () => {
    const refusal = parseSchedule(`0 0 2 * * ? ${'2026,'.repeat(60)}2026`, 'UTC', now);
    expect(refusal).toMatchObject({
      detail: expect.stringMatching(/^.{90,120}\.\.\." .*longer than 256 characters\.$/),
    });
  });

  it('is refused in a zone that nobody knows', () => {
    const refusal = parseSchedule('0 0 2 * * ?', 'Europe/Atlantis', now);
    expect(refusal).toMatchObject({ detail: expect.stringContaining('zone "Europe/Atlantis" is unknown') });
  });

  it('tells the fires of a span, its end but not its beginning among them, and no more than asked for', () => {
    const schedule = parseSchedule('0 0 * * * ?', 'UTC', now);
    if ('kind' in schedule) throw new Error(schedule.detail);
    const hour = (of: number): number => Date.UTC(2026, 4, 1, of);
    expect(firesBetween(schedule, hour(2), hour(4), 9)).toEqual([hour(3), hour(4)]);
    expect(firesBetween(schedule, hour(2), hour(23), 2)).toEqual([hour(3), hour(4)]);
    expect(firesBetween(schedule, hour(2), hour(2) + 1, 9)).toEqual([]);
    expect(firesBetween(schedule, hour(4), hour(2), 9)).toEqual([]);
    expect(nextFires(schedule, hour(2), 0)).toEqual([]);
    expect(nextFires(schedule, hour(2), 3)).toEqual([hour(3), hour(4), hour(5)]);
  });

  it('fires no more once its years are past', () => {
    const schedule = parseSchedule('0 0 2 1 1 ? 2027', 'UTC', now);
    if ('kind' in schedule) throw new Error(schedule.detail);
    expect(nextFires(schedule, now, 5)).toEqual([Date.UTC(2027, 0, 1, 2)]);
    expect(nextFire(schedule, Date.UTC(2027, 0, 1, 2))).toBeNull();
  });

  it('takes any text without an exception, and what it takes it can tell the fires of', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789*/,-?LW# \tMONFEB'), maxLength: 40 });
    const field = fc.constantFrom(
      '0',
      '*',
      '?',
      '1-5',
      '22-2',
      '*/7',
      'L',
      'LW',
      '15W',
      'FRI#2',
      '6L',
      'MON',
      '2030',
    );
    const lines = fc.oneof(
      text,
      fc.array(field, { minLength: 5, maxLength: 7 }).map((fields) => fields.join(' ')),
    );
    fc.assert(
      fc.property(lines, (line) => {
        const schedule = parseSchedule(line, 'Europe/Zurich', now);
        if ('kind' in schedule) return;
        const again = parseSchedule(schedule.expression, 'Europe/Zurich', now);
        expect(again).toEqual(schedule);
        expect(nextFire(schedule, now)).toBeGreaterThan(now);
      }),
      { numRuns: 3000 },
    );
  });
});
