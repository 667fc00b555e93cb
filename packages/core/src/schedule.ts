import { Cron } from 'croner';

/** A schedule that has been understood: the Quartz line as given or translated, and its zone. */
export type Schedule = { readonly expression: string; readonly timezone: string };

/** Why a line is not a schedule; one plain sentence. */
export type ScheduleRefusal = { readonly kind: 'SCHEDULE_INVALID'; readonly detail: string };

/** Far enough to meet every leap-day rule, near enough that a date that never comes is found out. */
const NEVER_AFTER_YEARS = 12;

/**
 * Reads a Quartz line (`sec min hour day-of-month month day-of-week [year]`, 1 = SUN) or a five-field Unix line,
 * which is translated. A line that never fires is refused: `now` (milliseconds since the epoch) says never from when.
 */
export function parseSchedule(line: string, timezone: string, now: number): Schedule | ScheduleRefusal {
  const fields = line.trim().split(/\s+/);
  if (fields.length < 5 || fields.length > 7) {
    return refuse(
      line,
      'it has not 6 or 7 fields (sec min hour day-of-month month day-of-week [year]) nor the 5 of Unix',
    );
  }
  const expression = fields.length === 5 ? translateUnixLine(fields) : fields.join(' ');
  const [, , , dayOfMonth, , dayOfWeek] = expression.split(' ');
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    return refuse(line, 'exactly one of day-of-month and day-of-week must be open ("?", in a Unix line "*")');
  }
  const schedule = { expression, timezone };
  try {
    const horizon = now + NEVER_AFTER_YEARS * 366 * 86_400_000;
    const next = cronOf(schedule).nextRun(new Date(now));
    if (next === null || next.getTime() > horizon) return refuse(line, 'it never fires');
  } catch (error) {
    return refuse(line, error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error));
  }
  return schedule;
}

/** The first fire strictly after an instant (milliseconds since the epoch), or null when there is none. */
export function nextFire(schedule: Schedule, afterMs: number): number | null {
  return cronOf(schedule).nextRun(new Date(afterMs))?.getTime() ?? null;
}

function cronOf({ expression, timezone }: Schedule): Cron {
  // Paused and without a function, so that no timer is ever made: only the arithmetic is used.
  return new Cron(expression.replaceAll('?', '*'), {
    timezone,
    paused: true,
    alternativeWeekdays: true,
    domAndDow: true,
  });
}

/** Unix counts Sunday as 0 or 7, Quartz as 1; Quartz wants one of the two day fields open. */
function translateUnixLine(fields: readonly string[]): string {
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields as [string, string, string, string, string];
  if (dayOfWeek === '*') return `0 ${minute} ${hour} ${dayOfMonth} ${month} ?`;
  const shifted = dayOfWeek
    .split(',')
    .map((part) => {
      const [range = '', step] = part.split('/');
      const days = range
        .split('-')
        .map((day) => (/^\d+$/.test(day) ? String((Number(day) % 7) + 1) : day))
        .join('-');
      return step === undefined ? days : `${days}/${step}`;
    })
    .join(',');
  return `0 ${minute} ${hour} ${dayOfMonth === '*' ? '?' : dayOfMonth} ${month} ${shifted}`;
}

function refuse(line: string, why: string): ScheduleRefusal {
  return { kind: 'SCHEDULE_INVALID', detail: `The schedule "${line}" is not valid: ${why}.` };
}
