import { describe, expect, it } from 'vitest';
import { nextFire, parseSchedule } from './schedule.ts';

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
    ['0 0 31 2 * ?', 'hour'],
    ['0 0 0 31 2 ?', 'never fires'],
    ['0 0 2 * * *', 'must be open'],
    ['0 0 2 1 * MON', 'must be open'],
    ['0 2 1 * 1', 'must be open'],
    ['nonsense', 'fields'],
    ['0 0 2 * * ? 2026 7', 'fields'],
    ['0 0 2 1 1 ? 2020', 'never fires'],
  ])('%s is refused because of its %s', (line, why) => {
    const refusal = parseSchedule(line, 'UTC', now);
    expect(refusal).toMatchObject({ kind: 'SCHEDULE_INVALID', detail: expect.stringContaining(why) });
    expect(refusal).toMatchObject({ detail: expect.stringContaining(line) });
  });
});
