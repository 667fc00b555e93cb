import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MissedRuns, Overlap } from '../plan/plan.ts';
import { decideFires, dueFires, MOST_FIRES_COUNTED, type UnfinishedRun } from './due-fires.ts';
import { nextFire, parseSchedule, type Schedule } from './schedule.ts';

const at = (text: string): number => Date.parse(`2026-03-01T${text}Z`);

function scheduleOf(line: string, zone = 'UTC'): Schedule {
  const schedule = parseSchedule(line, zone, at('00:00:00'));
  if ('kind' in schedule) throw new Error(schedule.detail);
  return schedule;
}

const hourly = scheduleOf('0 0 * * * ?');
const going: UnfinishedRun = { runId: 'r', isWaiting: false };
const waiting: UnfinishedRun = { runId: 'w', isWaiting: true };

describe('the fires that are due', () => {
  it('come in time when they are noticed within five minutes, as after a short restart', () => {
    expect(dueFires(hourly, at('02:00:00'), at('02:00:00'))).toEqual({
      missedAts: [],
      timelyAts: [at('02:00:00')],
    });
    expect(dueFires(hourly, at('02:00:00'), at('02:05:00')).timelyAts).toHaveLength(1);
    expect(dueFires(hourly, at('02:00:00'), at('02:05:01'))).toEqual({
      missedAts: [at('02:00:00')],
      timelyAts: [],
    });
  });

  it('are all that have passed since nobody was there, and the one of now', () => {
    expect(dueFires(hourly, at('02:00:00'), at('05:00:02'))).toEqual({
      missedAts: [at('02:00:00'), at('03:00:00'), at('04:00:00')],
      timelyAts: [at('05:00:00')],
    });
  });

  it('are counted up to a bound, and those of now are found all the same', () => {
    const secondly = scheduleOf('* * * * * ?');
    const { missedAts, timelyAts } = dueFires(secondly, at('00:00:00'), at('23:00:00'));
    expect(missedAts).toHaveLength(MOST_FIRES_COUNTED);
    expect(timelyAts).toHaveLength(301);
    expect(timelyAts.at(-1)).toBe(at('23:00:00'));
  });

  it('is the one that was due when the schedule can no longer be read', () => {
    expect(dueFires(null, at('02:00:00'), at('09:00:00')).missedAts).toEqual([at('02:00:00')]);
  });
});

describe('what becomes of them', () => {
  const missed = { missedAts: [at('02:00:00'), at('03:00:00')], timelyAts: [] };
  const timely = { missedAts: [], timelyAts: [at('04:00:00')] };
  const both = { missedAts: missed.missedAts, timelyAts: timely.timelyAts };
  const left = (reason: string, from: string, to: string, fires: number, instead: string | null) => ({
    reason,
    fires,
    firstAt: at(from),
    lastAt: at(to),
    instead,
  });

  it.each([
    ['a fire in time starts a run', 'skip', 'skip', timely, [], true, []],
    [
      'missed ones are left out',
      'skip',
      'skip',
      missed,
      [],
      false,
      [left('MISSED', '02:00:00', '03:00:00', 2, null)],
    ],
    [
      'missed ones are left out, the one in time is not',
      'skip',
      'skip',
      both,
      [],
      true,
      [left('MISSED', '02:00:00', '03:00:00', 2, null)],
    ],
    [
      'missed ones are made up for by one run',
      'once',
      'skip',
      missed,
      [],
      true,
      [left('MISSED', '02:00:00', '02:00:00', 1, 'started')],
    ],
    [
      'the run of a fire in time makes up for missed ones',
      'once',
      'skip',
      both,
      [],
      true,
      [left('MISSED', '02:00:00', '03:00:00', 2, 'started')],
    ],
    [
      'a fire while a run is going is left out',
      'once',
      'skip',
      timely,
      [going],
      false,
      [left('OVERLAP', '04:00:00', '04:00:00', 1, 'going')],
    ],
    ['a fire while a run is going is queued', 'once', 'queue', timely, [going], true, []],
    [
      'a fire while one is queued is left out',
      'once',
      'queue',
      timely,
      [going, waiting],
      false,
      [left('OVERLAP', '04:00:00', '04:00:00', 1, 'going')],
    ],
    [
      'a fire before the one before has begun is left out',
      'once',
      'queue',
      timely,
      [waiting],
      false,
      [left('OVERLAP', '04:00:00', '04:00:00', 1, 'going')],
    ],
    [
      'missed ones are not put behind a run that is going',
      'skip',
      'queue',
      missed,
      [going],
      false,
      [left('MISSED', '02:00:00', '03:00:00', 2, null)],
    ],
    [
      'missed ones are made up for after a run that is going',
      'once',
      'queue',
      missed,
      [going],
      true,
      [left('MISSED', '02:00:00', '02:00:00', 1, 'started')],
    ],
  ] as const)('%s', (_, missedRuns, overlap, due, unfinished, startsRun, leftOut) => {
    expect(decideFires({ missedRuns, overlap }, due, unfinished)).toEqual({ startsRun, leftOut });
  });

  it('is told of each fire, once: it has a run or is left out, over any schedule, pause and clock', () => {
    let cases = 0;
    const lines = ['0 * * * * ?', '0 0/7 * * * ?', '0 30 1,2 * * ?', '0 0 2 * * ?', '0 0 0 29 2 ?'];
    const zones = ['Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'UTC'];
    const starts = [
      '2026-03-28T22:00:00Z',
      '2026-10-24T22:00:00Z',
      '2026-11-01T03:00:00Z',
      '2028-02-28T12:00:00Z',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...lines),
        fc.constantFrom(...zones),
        fc.constantFrom(...starts),
        fc.constantFrom<MissedRuns>('skip', 'once'),
        fc.constantFrom<Overlap>('skip', 'queue'),
        fc.constantFrom([], [going], [waiting], [going, waiting]),
        // Not so long that fires of each minute are more than are counted one by one.
        fc.integer({ min: 0, max: 100 * 60_000 }),
        (line, zone, start, missedRuns, overlap, unfinished, laterMs) => {
          const schedule = scheduleOf(line, zone);
          const dueAt = nextFire(schedule, Date.parse(start));
          if (dueAt === null) return;
          cases += 1;
          const now = dueAt + laterMs;
          const due = dueFires(schedule, dueAt, now);
          const fires = [];
          for (let fire: number | null = dueAt; fire !== null && fire <= now; fire = nextFire(schedule, fire))
            fires.push(fire);
          expect([...due.missedAts, ...due.timelyAts]).toEqual(fires);
          const { startsRun, leftOut } = decideFires({ missedRuns, overlap }, due, unfinished);
          const told = leftOut.reduce((sum, one) => sum + one.fires, startsRun ? 1 : 0);
          expect(told).toBe(fires.length);
          const isLate = due.timelyAts.length === 0;
          if (missedRuns === 'skip' && isLate) expect(startsRun).toBe(false);
          if (overlap === 'skip' && unfinished.length > 0) expect(startsRun).toBe(false);
          if (unfinished.some(({ isWaiting }) => isWaiting)) expect(startsRun).toBe(false);
          if (unfinished.length === 0 && (missedRuns === 'once' || !isLate)) expect(startsRun).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
    console.log(`due fires: ${cases} cases over DST both ways and a leap day, each fire told once`);
  });
});
