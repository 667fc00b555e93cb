import type { MissedRuns, Overlap } from '../plan/plan.ts';
import { nextFire, type Schedule } from './schedule.ts';

/** A fire that is noticed later than this was missed; what a restart takes is less. */
const TOLERANCE_MS = 5 * 60_000;

/** So many fires are counted one by one; of more it is only said that they were this many at least. */
export const MOST_FIRES_COUNTED = 100;

/** Fires of one plan that were noticed at once; instants in milliseconds since the epoch. */
export type DueFires = {
  /** Those that were missed, soonest first; at most {@link MOST_FIRES_COUNTED}, the first ones. */
  readonly missedAts: readonly number[];
  /** Those that come in time, soonest first. */
  readonly timelyAts: readonly number[];
};

/** Fires that started no run of their own. */
export type LeftOutFires = {
  /** Nobody was there in time, or a run of the plan was going. */
  readonly reason: 'MISSED' | 'OVERLAP';
  readonly fires: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The run that there is instead: the one that was going, the one that was started for all of them, or none. */
  readonly instead: 'going' | 'started' | null;
};

/** A run of the plan that has not ended; one that waits has not begun. */
export type UnfinishedRun = { readonly runId: string; readonly isWaiting: boolean };

/** What becomes of the fires of a plan that were noticed at once: one run, or none. */
export type FireDecision = { readonly startsRun: boolean; readonly leftOut: readonly LeftOutFires[] };

/** The fires from the first one that is due to now. A schedule of null has only that one. */
export function dueFires(schedule: Schedule | null, dueAt: number, now: number): DueFires {
  const missedAts: number[] = [];
  const timelyAts: number[] = [];
  let at: number | null = dueAt;
  while (at !== null && at <= now) {
    if (now - at <= TOLERANCE_MS) timelyAts.push(at);
    else if (missedAts.length < MOST_FIRES_COUNTED) missedAts.push(at);
    else at = now - TOLERANCE_MS - 1;
    at = schedule === null ? null : nextFire(schedule, at);
  }
  return { missedAts, timelyAts };
}

/** Decides by the policies of a plan. Pure; a plan decides all its due fires at once and so starts one run at most. */
export function decideFires(
  policies: { readonly missedRuns: MissedRuns; readonly overlap: Overlap },
  { missedAts, timelyAts }: DueFires,
  unfinished: readonly UnfinishedRun[],
): FireDecision {
  const isMadeUp = policies.missedRuns === 'once';
  const leftOut = isMadeUp ? [] : leftOutOf('MISSED', missedAts, null);
  const wanted = isMadeUp ? [...missedAts, ...timelyAts] : timelyAts;
  if (wanted.length === 0) return { startsRun: false, leftOut };
  const isFree = unfinished.length === 0;
  const mayQueue = policies.overlap === 'queue' && !unfinished.some(({ isWaiting }) => isWaiting);
  if (!isFree && !mayQueue) {
    return { startsRun: false, leftOut: [...leftOut, ...leftOutOf('OVERLAP', wanted, 'going')] };
  }
  return { startsRun: true, leftOut: [...leftOut, ...leftOutOf('MISSED', wanted.slice(0, -1), 'started')] };
}

function leftOutOf(
  reason: LeftOutFires['reason'],
  ats: readonly number[],
  instead: LeftOutFires['instead'],
): readonly LeftOutFires[] {
  const [firstAt] = ats;
  const lastAt = ats.at(-1);
  if (firstAt === undefined || lastAt === undefined) return [];
  return [{ reason, fires: ats.length, firstAt, lastAt, instead }];
}
