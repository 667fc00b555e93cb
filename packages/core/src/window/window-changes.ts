import { clockChangeBetween, startOfDay, wallTimeAt } from '../schedule/wall-time.ts';
import { isInTimeframes, isOpenByClock, type MaintenanceWindow } from './window.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The first instant, this one or a later one, at which the window is open: `atMs` itself while it is. Null for a window
 * that never opens. All instants are milliseconds since the epoch.
 */
export function nextWindowOpening(window: MaintenanceWindow, atMs: number): number | null {
  if (window.timeframes?.length === 0) return null;
  let at = atMs;
  for (;;) {
    const wall = wallTimeAt(window.timezone, at);
    if (isOpenByClock(window, wall)) return at;
    const blackoutEnd = endOfBlackout(window, wall);
    // A day that the clock was put back into has ended once already.
    at = blackoutEnd !== null && blackoutEnd > at ? blackoutEnd : nextEdge(window, at, wall);
  }
}

/**
 * The first instant, this one or a later one, at which the window is closed: `atMs` itself while it is. Null for a window
 * that is open and never closes again.
 */
export function windowClosesAt(window: MaintenanceWindow, atMs: number): number | null {
  const isOpenAllDay = minutesOfEdges(window).every(
    (minute) => window.timeframes === null || isInTimeframes(window.timeframes, minute),
  );
  let at = atMs;
  for (;;) {
    const wall = wallTimeAt(window.timezone, at);
    if (!isOpenByClock(window, wall)) return at;
    const next = isOpenAllDay ? startOfBlackout(window, wall) : nextEdge(window, at, wall);
    if (next === null) return null;
    at = next;
  }
}

/** The next instant at which the window may open or close, be it for the clock's being put forward or back; a day off at most. */
function nextEdge(window: MaintenanceWindow, atMs: number, wallMs: number): number {
  const midnight = Math.floor(wallMs / DAY_MS) * DAY_MS;
  const later = minutesOfEdges(window)
    .map((minute) => midnight + minute * MINUTE_MS)
    .filter((edge) => edge > wallMs);
  const edge = atMs + Math.min(midnight + DAY_MS, ...later) - wallMs;
  return clockChangeBetween(window.timezone, atMs, edge) ?? edge;
}

/** The minutes of the day at which the window may open or close. */
function minutesOfEdges({ timeframes }: MaintenanceWindow): readonly number[] {
  return [0, ...(timeframes ?? []).flatMap(({ fromMinute, toMinute }) => [fromMinute, toMinute])];
}

/** When the blackout ends in which a wall time lies, or null when it lies in none. */
function endOfBlackout({ blackoutDays, timezone }: MaintenanceWindow, wallMs: number): number | null {
  const day = dayOf(wallMs);
  const around = blackoutDays.filter(({ first, last }) => first <= day && day <= last);
  const last = around.map((days) => days.last).reduce((a, b) => (a > b ? a : b), '');
  return last === '' ? null : startOfDay(timezone, last, 1);
}

/** When the next blackout after the day of a wall time begins, or null when there is none. */
function startOfBlackout({ blackoutDays, timezone }: MaintenanceWindow, wallMs: number): number | null {
  const day = dayOf(wallMs);
  const later = blackoutDays.map(({ first }) => first).filter((first) => first > day);
  const next = later.reduce<string | null>((a, b) => (a !== null && a < b ? a : b), null);
  return next === null ? null : startOfDay(timezone, next);
}

function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
