import cronstrue from 'cronstrue';
import { type CronField, quartzFields, readCronValues } from './cron-values.ts';
import type { Schedule } from './schedule.ts';

/** A schedule in words, with its zone: `At 02:00, on the last Friday of the month (Europe/Zurich)`. */
export function describeSchedule({ expression, timezone }: Schedule): string {
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', ...year] =
    expression.split(' ');
  // The library has no words for L-3W; those for L-3 serve, with what is asked of that day put before them.
  const isNearestWeekday = /^L-\d+W$/.test(dayOfMonth);
  const line = [
    plain(second, quartzFields.second),
    plain(minute, quartzFields.minute),
    plain(hour, quartzFields.hour),
    isNearestWeekday ? dayOfMonth.slice(0, -1) : plain(dayOfMonth, quartzFields.dayOfMonth),
    plain(month, quartzFields.month),
    plain(dayOfWeek, quartzFields.dayOfWeek),
    ...year.map((years) => plain(years, quartzFields.year)),
  ].join(' ');
  const words = cronstrue.toString(line, { dayOfWeekStartIndexZero: false, use24HourTimeFormat: true });
  const whole = isNearestWeekday
    ? words.replace(/(\d+ days? before)/, 'on the weekday nearest to $1')
    : words;
  return `${whole} (${timezone})`;
}

/**
 * The same field without what reads badly: `every 7 hours` would be taken to run over midnight, and `every 2 days of the
 * week` leaves open which, so such steps become the values they stand for. Years stay, they would be too many.
 */
function plain(text: string, field: CronField): string {
  if (/^[^,/]+$/.test(text)) return /^([^-]+)-\1$/.exec(text)?.[1] ?? text;
  if (/[LW#?]/.test(text.replace(/[A-Z]{3}/g, '')) || !text.includes('/')) return text;
  if (field === quartzFields.year) {
    return text.replace(/^(\d+)\//, `$1-${field.max}/`).replace(/^\*?\//, `${field.min}-${field.max}/`);
  }
  const values = readCronValues(text, field);
  if ('why' in values || isEven(text, field)) return text.replace(/^\//, '*/');
  return values.length === field.span ? '*' : values.join(',');
}

/** Whether a step goes on evenly from one hour, or day, to the next. */
function isEven(text: string, field: CronField): boolean {
  const step = /^(?:\*|(\d+))?\/(\d+)$/.exec(text);
  const isClock = field.min === 0;
  return (
    isClock && step !== null && Number(step[1] ?? 0) < Number(step[2]) && field.span % Number(step[2]) === 0
  );
}
