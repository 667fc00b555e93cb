import { isTimezone } from '../window/window.ts';
import { type CronFields, readCronFields } from './cron-fields.ts';
import { nextWallTime } from './next-wall-time.ts';
import { translateUnixLine } from './translate-unix-line.ts';
import { instantOfWallTime, wallTimeAt } from './wall-time.ts';

/** A schedule that has been understood: the Quartz line as given or translated, in capital letters, and its zone. */
export type Schedule = { readonly expression: string; readonly timezone: string };

/** Why a line is not a schedule; one plain sentence. */
export type ScheduleRefusal = { readonly kind: 'SCHEDULE_INVALID'; readonly detail: string };

const LONGEST_LINE = 256;
const DAY_MS = 86_400_000;

/**
 * Reads a Quartz line (`sec min hour day-of-month month day-of-week [year]`, 1 = SUN) or a five-field Unix line,
 * which is translated. A line that never fires is refused: `now` (milliseconds since the epoch) says never from when.
 */
export function parseSchedule(line: string, timezone: string, now: number): Schedule | ScheduleRefusal {
  const refuse = (why: string): ScheduleRefusal => ({
    kind: 'SCHEDULE_INVALID',
    detail: `The schedule "${printable(line)}" is not valid: ${why}.`,
  });
  const text = line.trim();
  if (text === '') return refuse('it is empty');
  if (text.length > LONGEST_LINE) return refuse(`it is longer than ${LONGEST_LINE} characters`);
  if (/[^\t\x20-\x7e]/.test(text))
    return refuse('it holds a character that is no plain letter, digit or sign');
  if (!isTimezone(timezone)) return refuse(`its time zone "${printable(timezone)}" is unknown`);
  const given = text.toUpperCase().split(/\s+/);
  const quartz = given.length === 5 ? translateUnixLine(given) : given.join(' ');
  if (typeof quartz !== 'string') return refuse(quartz.why);
  const fields = readExpression(quartz);
  if ('why' in fields) return refuse(fields.why);
  const schedule = { expression: quartz, timezone };
  if (nextFire(schedule, now) !== null) return schedule;
  const hasFired = nextWallTime(fields, 0) !== null;
  return refuse(
    hasFired
      ? 'it never fires again, its years are past'
      : 'it never fires, none of its years has such a day',
  );
}

/**
 * The first fire strictly after an instant (both milliseconds since the epoch), or null when there is none. Each wall
 * time that the line names is one fire. One that comes twice, when the clock is put back, fires at its second coming,
 * as Quartz has it; one that is left out, when the clock is put forward, fires when the old clock would have shown it
 * (02:30 at 03:30), where Quartz leaves it out.
 */
export function nextFire(schedule: Schedule, afterMs: number): number | null {
  return nextOf(fieldsOf(schedule), schedule.timezone, afterMs);
}

/** The next fires strictly after an instant, soonest first, at most `count` of them. */
export function nextFires(schedule: Schedule, afterMs: number, count: number): readonly number[] {
  return firesBetween(schedule, afterMs, Number.POSITIVE_INFINITY, count);
}

/** The fires after `fromMs` up to and with `toMs`, soonest first; only the first `most` of them. */
export function firesBetween(
  schedule: Schedule,
  fromMs: number,
  toMs: number,
  most: number,
): readonly number[] {
  const fields = fieldsOf(schedule);
  const fires: number[] = [];
  let at = nextOf(fields, schedule.timezone, fromMs);
  while (at !== null && at <= toMs && fires.length < most) {
    fires.push(at);
    at = nextOf(fields, schedule.timezone, at);
  }
  return fires;
}

function nextOf(fields: CronFields, timezone: string, afterMs: number): number | null {
  let wall: number | null = wallTimeAt(timezone, afterMs) - stillToCome(timezone, afterMs);
  let soonest: number | null = null;
  for (;;) {
    wall = nextWallTime(fields, wall);
    if (wall === null || (soonest !== null && wall >= wallTimeAt(timezone, soonest))) return soonest;
    const at = instantOfWallTime(timezone, wall);
    if (at > afterMs && (soonest === null || at < soonest)) soonest = at;
  }
}

/**
 * By how much (milliseconds) wall times whose fires are still to come lie before the one that is shown at an instant:
 * 0 but for the hour after the clock was put forward, and that before it is put back.
 */
function stillToCome(timezone: string, atMs: number): number {
  const offsetAt = (ms: number): number => wallTimeAt(timezone, ms) - ms;
  const offset = offsetAt(atMs);
  const forwardMs = offset - offsetAt(atMs - DAY_MS);
  if (forwardMs > 0 && offsetAt(atMs - forwardMs) < offset) return forwardMs;
  const backMs = offset - offsetAt(atMs + DAY_MS);
  return backMs > 0 && offsetAt(atMs + backMs) < offset ? backMs : 0;
}

/** A line is read once for all its fires; those of a fleet's plans are few, and what else was asked for is let go. */
const readLines = new Map<string, CronFields>();
const MOST_READ_LINES = 1_000;

function fieldsOf({ expression }: Schedule): CronFields {
  const known = readLines.get(expression);
  if (known !== undefined) return known;
  const fields = readExpression(expression);
  if ('why' in fields) throw new Error(`The schedule "${expression}" was never understood: ${fields.why}.`);
  if (readLines.size >= MOST_READ_LINES) readLines.clear();
  readLines.set(expression, fields);
  return fields;
}

function readExpression(expression: string): ReturnType<typeof readCronFields> {
  const fields = expression.split(' ');
  if (fields.length === 6 || fields.length === 7) return readCronFields(fields);
  return {
    why: `it has not 6 or 7 fields (sec min hour day-of-month month day-of-week [year]) nor the 5 of Unix`,
  };
}

/** Fit to be quoted in a sentence: cut short, and without characters that do something to a terminal. */
function printable(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return short.replace(/[^\x20-\x7e]/g, '?');
}
