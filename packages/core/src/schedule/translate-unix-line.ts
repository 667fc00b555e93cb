import {
  type CronField,
  type FieldRefusal,
  quartzFields,
  readCronValues,
  weekdayNames,
} from './cron-values.ts';

/** Unix counts from Sunday as 0, and calls it 7 as well. */
const unixDayOfWeek: CronField = {
  name: 'day-of-week',
  min: 0,
  max: 7,
  span: 7,
  names: weekdayNames,
  allowed: '0 to 7 or SUN to SAT (0 and 7 = SUN) with * , - /',
};

/** The Quartz line that fires when the five fields of a Unix line (minute hour day-of-month month day-of-week) do. */
export function translateUnixLine(fields: readonly string[]): string | FieldRefusal {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  for (const field of fields) {
    if (/[?#LW]/.test(field.replace(/[A-Z]{3}/g, ''))) {
      return { why: `"${field}" is not known to Unix lines of 5 fields (for ? L W # write the 6 of Quartz)` };
    }
    if (field.split(',').some((part) => /^[A-Z0-9]*\//.test(part))) {
      return { why: `"${field}" is not known to Unix lines of 5 fields (a step follows * or a range)` };
    }
  }
  if (dayOfMonth !== '*' && dayOfWeek !== '*') {
    return {
      why:
        'a Unix line fires when either of its day fields fits, which a Quartz line cannot say ' +
        '(one of day-of-month and day-of-week must be open, that is "*"; make a plan of each)',
    };
  }
  const weekdays = readCronValues(dayOfWeek, unixDayOfWeek);
  if ('why' in weekdays) return weekdays;
  const days =
    weekdays.length === 7 ? `${dayOfMonth} ${numbered(month)} ?` : `? ${numbered(month)} ${named(weekdays)}`;
  return `0 ${minute} ${hour} ${days}`;
}

/** Quartz takes no step after a name. */
function numbered(month: string): string {
  if (!month.includes('/')) return month;
  return quartzFields.month.names.reduce(
    (text, name, index) => text.replaceAll(name, String(index + 1)),
    month,
  );
}

/** Days of the week, 0 = Sunday, by their names, of which nobody need know where they begin; three in a row are a range. */
function named(weekdays: readonly number[]): string {
  const runs: number[][] = [];
  for (const day of weekdays) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const first = runs[0];
  if (runs.length > 1 && first?.[0] === 0 && runs.at(-1)?.at(-1) === 6) {
    runs.at(-1)?.push(...first);
    runs.shift();
  }
  const name = (day: number): string => weekdayNames[day] ?? '';
  return runs
    .map((run) =>
      run.length < 3 ? run.map(name).join(',') : `${name(run[0] ?? 0)}-${name(run.at(-1) ?? 0)}`,
    )
    .join(',');
}
