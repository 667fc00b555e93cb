import { Temporal } from '@js-temporal/polyfill';

const DAY_MS = 86_400_000;

/**
 * What a clock in a zone shows at an instant (milliseconds since the epoch), written as milliseconds since the epoch
 * as if that clock were in UTC.
 */
export function wallTimeAt(timezone: string, atMs: number): number {
  const shown = clockOf(timezone).format(atMs).split(/\D+/).map(Number);
  const [month = 1, day = 1, year = 0, hour = 0, minute = 0, second = 0] = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((atMs % 1000) + 1000) % 1000);
}

/** Windows and schedules ask the time thousandfold; to make a clock takes longer than to read it, and zones are few. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  clocks.set(timeZone, clock);
  return clock;
}

/**
 * The instant at which a clock in a zone shows a wall time. Of one that comes twice it is the second; for one that is
 * left out it is when the clock would have shown it, had it not been put forward.
 */
export function instantOfWallTime(timezone: string, wallMs: number): number {
  const offsetAt = (ms: number): number => wallTimeAt(timezone, ms) - ms;
  const byNewClock = wallMs - offsetAt(wallMs + DAY_MS);
  return wallTimeAt(timezone, byNewClock) === wallMs ? byNewClock : wallMs - offsetAt(wallMs - DAY_MS);
}

/** The first instant of a calendar day such as `2026-12-24` in a zone, or of one some days later. */
export function startOfDay(timezone: string, day: string, daysLater = 0): number {
  return Temporal.PlainDate.from(day).add({ days: daysLater }).toZonedDateTime(timezone).epochMilliseconds;
}

/**
 * The first instant after another, and not after a third at most a day later, at which a zone's clock is put forward or
 * back; null when it runs evenly.
 */
export function clockChangeBetween(timezone: string, afterMs: number, untilMs: number): number | null {
  const elapsedMs = wallTimeAt(timezone, untilMs) - wallTimeAt(timezone, afterMs);
  if (elapsedMs === untilMs - afterMs) return null;
  const after = Temporal.Instant.fromEpochMilliseconds(afterMs).toZonedDateTimeISO(timezone);
  return after.getTimeZoneTransition('next')?.epochMilliseconds ?? null;
}
