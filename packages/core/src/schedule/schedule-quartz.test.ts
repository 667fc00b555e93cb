import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firesBetween, nextFires, parseSchedule, type Schedule } from './schedule.ts';
import { startOfDay, wallTimeAt } from './wall-time.ts';

const text = (atMs: number): string => new Date(atMs).toISOString().replace('.000Z', 'Z');

function scheduleOf(line: string, timezone: string): Schedule {
  const schedule = parseSchedule(line, timezone, Date.UTC(2026, 0, 1));
  if ('kind' in schedule) throw new Error(schedule.detail);
  return schedule;
}

/** What the clock of a zone shows at the fires of a day. */
function timesOfDay(line: string, timezone: string, day: string): string {
  const fromMs = startOfDay(timezone, day) - 1;
  const fires = firesBetween(scheduleOf(line, timezone), fromMs, startOfDay(timezone, day, 1) - 1, 100);
  return fires.map((fire) => text(wallTimeAt(timezone, fire)).slice(11, 16)).join(' ');
}

describe('a schedule beside Quartz', () => {
  it('fires when Quartz fires, for every line of the table', () => {
    const table = readFileSync(new URL('testing/quartz-fires.csv', import.meta.url), 'utf8');
    const rows = table.split('\n').filter((row) => row !== '' && !row.startsWith('#'));
    const lines = new Set<string>();
    const differing: string[] = [];
    let fires = 0;
    for (const row of rows) {
      const [line = '', timezone = '', start = '', ofQuartz = ''] = row.split(';');
      const ours = nextFires(scheduleOf(line, timezone), Date.parse(start), 20).map(text).join(' ');
      if (ours !== ofQuartz) differing.push(`${line} in ${timezone} from ${start}: ${ours}, not ${ofQuartz}`);
      lines.add(line);
      fires += ofQuartz.split(' ').length;
    }
    console.log(
      `schedules: ${lines.size} expressions in ${rows.length} rows, ${fires} fires of Quartz 2.3.2`,
    );
    expect(differing).toEqual([]);
    expect(lines.size).toBeGreaterThanOrEqual(500);
  });

  // Quartz leaves these out, so that a monthly plan may miss its month and one on the second Sunday of March its year.
  it.each([
    ['0 30 2 * * ?', 'Europe/Zurich', '2026-03-29', '', '03:30'],
    ['0 30 2 29 3 ?', 'Europe/Zurich', '2026-03-29', '', '03:30'],
    ['0 30 2 ? MAR 1L', 'Europe/Zurich', '2026-03-29', '', '03:30'],
    ['0 30 2,14 * * ?', 'Europe/Zurich', '2026-03-29', '14:30', '03:30 14:30'],
    ['0 30 2,3 * * ?', 'Europe/Zurich', '2026-03-29', '03:30', '03:30'],
    ['0 0,20,40 2 * * ?', 'Europe/Zurich', '2026-03-29', '', '03:00 03:20 03:40'],
    [
      '0 0 0-8/2 * * ?',
      'Europe/Zurich',
      '2026-03-29',
      '00:00 04:00 06:00 08:00',
      '00:00 03:00 04:00 06:00 08:00',
    ],
    [
      '0 0/30 1-4 * * ?',
      'Europe/Zurich',
      '2026-03-29',
      '01:00 01:30 03:00 03:30 04:00 04:30',
      '01:00 01:30 03:00 03:30 04:00 04:30',
    ],
    ['0 43 1 ? * 1', 'Europe/London', '2026-03-29', '', '02:43'],
    ['0 0 2 ? 3 SUN#2', 'America/New_York', '2026-03-08', '', '03:00'],
    ['0 15 2 L-23 * ?', 'America/New_York', '2026-03-08', '', '03:15'],
    ['0 45 1-2 * * ?', 'America/New_York', '2026-03-08', '01:45', '01:45 03:45'],
    ['0 15 2 * * ?', 'Australia/Lord_Howe', '2026-10-04', '', '02:45'],
    ['0 20,40 2 * * ?', 'Australia/Lord_Howe', '2026-10-04', '02:40', '02:40 02:50'],
    ['0 0/10 2 * * ?', 'Australia/Lord_Howe', '2026-10-04', '02:30 02:40 02:50', '02:30 02:40 02:50'],
    ['0 0 0 * * ?', 'Africa/Cairo', '2026-04-24', '', '01:00'],
    ['0 30 0 8 3 ?', 'America/Havana', '2026-03-08', '', '01:30'],
    ['0 0 23-1 * * ?', 'America/Havana', '2026-03-08', '01:00 23:00', '01:00 23:00'],
    ['0 45 2 * * ?', 'Pacific/Chatham', '2026-09-27', '', '03:45'],
  ])('%s in %s on %s, when the clock is put forward: Quartz fires at (%s), we at (%s)', (...row) => {
    const [line, timezone, day, ofQuartz, ours] = row;
    expect(timesOfDay(line, timezone, day)).toBe(ours);
    expect(ours.split(' ')).toEqual(expect.arrayContaining(ofQuartz === '' ? [] : ofQuartz.split(' ')));
  });

  it('fires once at a time that comes twice, wherever between the two one asks', () => {
    const schedule = scheduleOf('0 0/30 2 * * ?', 'Europe/Zurich');
    const both = ['2026-10-25T01:00:00Z', '2026-10-25T01:30:00Z'];
    for (const from of ['2026-10-24T23:00:00Z', '2026-10-25T00:15:00Z', '2026-10-25T00:59:59Z']) {
      expect(nextFires(schedule, Date.parse(from), 2).map(text)).toEqual(both);
    }
  });

  it('knows of the fire that a clock put forward moves, wherever before it one asks', () => {
    const schedule = scheduleOf('0 30 2 * * ?', 'Europe/Zurich');
    for (const from of ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-03-29T01:29:59.999Z']) {
      expect(nextFires(schedule, Date.parse(from), 1).map(text)).toEqual(['2026-03-29T01:30:00Z']);
    }
  });

  it('has the same fires wherever between them one asks, also where the clock changes', () => {
    const lines = [
      '0 0/7 * * * ?',
      '0 30 2 * * ?',
      '0 0/20 1-2 * * ?',
      '30 15,50 0-3 ? * SAT,SUN',
      '0 0 0,2 * * ?',
    ];
    const changes = [
      ['Europe/Zurich', '2026-03-28T22:00:00Z'],
      ['Europe/Zurich', '2026-10-24T22:00:00Z'],
      ['Australia/Lord_Howe', '2026-04-04T12:00:00Z'],
      ['Australia/Lord_Howe', '2026-10-03T12:00:00Z'],
      ['Africa/Cairo', '2026-04-23T18:00:00Z'],
      ['Africa/Cairo', '2026-10-29T18:00:00Z'],
    ] as const;
    const laterMs = fc.integer({ min: 0, max: 10 * 3_600_000 });
    fc.assert(
      fc.property(fc.constantFrom(...lines), fc.constantFrom(...changes), laterMs, (line, change, later) => {
        const [timezone, start] = change;
        const schedule = scheduleOf(line, timezone);
        const from = Date.parse(start);
        const at = from + later;
        const expected = firesBetween(schedule, from, from + 3 * 86_400_000, 500).find((fire) => fire > at);
        expect(nextFires(schedule, at, 1)).toEqual(
          expected === undefined ? [expect.any(Number)] : [expected],
        );
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out the month that has no day to be near to, where Quartz fires in some years', () => {
    const days = (line: string): string =>
      nextFires(scheduleOf(line, 'UTC'), Date.UTC(2027, 0, 1), 5)
        .map((fire) => text(fire).slice(5, 10))
        .join(' ');
    expect(days('0 0 2 31W * ?')).toBe('01-29 03-31 05-31 07-30 08-31');
    expect(days('0 0 2 30W 1-4 ?')).toBe('01-29 03-30 04-30 01-31 03-30');
  });
});
