import { type FieldRefusal, quartzFields, readCronValues } from './cron-values.ts';
import { type DayRule, readDayRule } from './day-rule.ts';

/** When a schedule fires by the wall clock, each list ascending. */
export type CronFields = {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  readonly years: readonly number[];
  readonly days: DayRule;
};

/** Reads the 6 or 7 fields of a Quartz line in capital letters; the first field that is wrong is refused. */
export function readCronFields(fields: readonly string[]): CronFields | FieldRefusal {
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = '*'] =
    fields;
  const seconds = readCronValues(second, quartzFields.second);
  if ('why' in seconds) return seconds;
  const minutes = readCronValues(minute, quartzFields.minute);
  if ('why' in minutes) return minutes;
  const hours = readCronValues(hour, quartzFields.hour);
  if ('why' in hours) return hours;
  const days = readDayRule(dayOfMonth, dayOfWeek);
  if ('why' in days) return days;
  const months = readCronValues(month, quartzFields.month);
  if ('why' in months) return months;
  const years = readCronValues(year, quartzFields.year);
  if ('why' in years) return years;
  return { seconds, minutes, hours, months, years, days };
}
