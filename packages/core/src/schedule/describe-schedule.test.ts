import { describe, expect, it } from 'vitest';
import { describeSchedule } from './describe-schedule.ts';
import { parseSchedule } from './schedule.ts';

function wordsOf(line: string, timezone = 'Europe/Zurich'): string {
  const schedule = parseSchedule(line, timezone, Date.UTC(2026, 0, 1));
  if ('kind' in schedule) throw new Error(schedule.detail);
  return describeSchedule(schedule);
}

describe('a schedule in words', () => {
  it('names its zone', () => {
    expect(wordsOf('0 30 2 * * ?', 'Asia/Tokyo')).toBe('At 02:30 (Asia/Tokyo)');
  });

  it.each([
    ['30 0 2 * * ?', 'At 02:00:30'],
    ['0 0 2,14 * * ?', 'At 02:00 and 14:00'],
    ['0 30 2-2 * * ?', 'At 02:30'],
    ['0 0/15 * * * ?', 'Every 15 minutes'],
    ['0 /15 * * * ?', 'Every 15 minutes'],
    ['0 5/15 * * * ?', 'Every 15 minutes, starting at 5 minutes past the hour'],
    ['0 20/15 * * * ?', 'At 20, 35, and 50 minutes past the hour'],
    ['0 0 0/7 * * ?', 'At 00:00, 07:00, 14:00 and 21:00'],
    ['0 0 22-2 * * ?', 'Every hour, between 22:00 and 02:00'],
    ['0 0/30 8-18 ? * MON-FRI', 'Every 30 minutes, between 08:00 and 18:59, Monday through Friday'],
    ['0 0 2 1,15 * ?', 'At 02:00, on day 1 and 15 of the month'],
    ['0 0 2 5/10 * ?', 'At 02:00, on day 5, 15, and 25 of the month'],
    ['0 0 2 L * ?', 'At 02:00, on the last day of the month'],
    ['0 0 2 L-3 * ?', 'At 02:00, 3 days before the last day of the month'],
    ['0 0 2 LW * ?', 'At 02:00, on the last weekday of the month'],
    ['0 0 2 L-1W * ?', 'At 02:00, on the weekday nearest to 1 day before the last day of the month'],
    ['0 0 2 15W * ?', 'At 02:00, on the weekday nearest day 15 of the month'],
    ['0 0 2 1W * ?', 'At 02:00, on the first weekday of the month'],
    ['0 0 2 ? * 1', 'At 02:00, only on Sunday'],
    ['0 0 2 ? * fri-mon', 'At 02:00, Friday through Monday'],
    ['0 0 2 ? * 2-6/2', 'At 02:00, only on Monday, Wednesday, and Friday'],
    ['0 0 2 ? * 1/1', 'At 02:00'],
    ['0 0 2 ? * L', 'At 02:00, only on Saturday'],
    ['0 0 2 ? * 6L', 'At 02:00, on the last Friday of the month'],
    ['0 0 2 ? * FRI#3', 'At 02:00, on the third Friday of the month'],
    ['0 0 2 1 */3 ?', 'At 02:00, on day 1 of the month, only in January, April, July, and October'],
    ['0 0 2 ? NOV-FEB SUN', 'At 02:00, only on Sunday, November through February'],
    ['0 0 2 29 2 ? 2028', 'At 02:00, on day 29 of the month, only in February, only in 2028'],
    ['0 0 2 * * ? 2027/2', 'At 02:00, every 2 years, 2027 through 2199'],
    ['0 0 2 * * ? */4', 'At 02:00, every 4 years, 1970 through 2199'],
    ['30 2 * * 1-5', 'At 02:30, Monday through Friday'],
  ])('%s reads: %s', (line, words) => {
    expect(wordsOf(line)).toBe(`${words} (Europe/Zurich)`);
  });
});
