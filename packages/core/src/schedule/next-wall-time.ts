import type { CronFields } from './cron-fields.ts';
import { daysOfMonth } from './day-rule.ts';

const DAY_MS = 86_400_000;

/**
 * The first time strictly after another that the fields name, or null when there is none. Wall times are milliseconds
 * since the epoch of what a clock shows, as if that clock were in UTC.
 */
export function nextWallTime(fields: CronFields, afterMs: number): number | null {
  const fromMs = Math.floor(afterMs / 1000) * 1000 + 1000;
  const from = new Date(fromMs);
  for (const year of fields.years) {
    if (year < from.getUTCFullYear()) continue;
    for (const month of fields.months) {
      if (year === from.getUTCFullYear() && month <= from.getUTCMonth()) continue;
      for (const day of daysOfMonth(fields.days, year, month)) {
        const midnightMs = Date.UTC(year, month - 1, day);
        if (midnightMs + DAY_MS <= fromMs) continue;
        const second = secondOfDay(fields, Math.max(0, (fromMs - midnightMs) / 1000));
        if (second !== null) return midnightMs + second * 1000;
      }
    }
  }
  return null;
}

/** The first of the fields' times of the day that is not before a second of the day. */
function secondOfDay({ hours, minutes, seconds }: CronFields, from: number): number | null {
  for (const hour of hours) {
    if ((hour + 1) * 3600 <= from) continue;
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60;
      if (start + 60 <= from) continue;
      const second = seconds.find((each) => start + each >= from);
      if (second !== undefined) return start + second;
    }
  }
  return null;
}
