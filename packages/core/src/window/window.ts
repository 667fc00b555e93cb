import { Temporal } from '@js-temporal/polyfill';
import { wallTimeAt } from '../schedule/wall-time.ts';

/** Minutes after local midnight, `fromMinute` inclusive, `toMinute` exclusive; crosses midnight when from > to. */
export type Timeframe = { readonly fromMinute: number; readonly toMinute: number };

/** When new tasks may start: `null` = always; blackout days are local calendar days, both ends inclusive. */
export type MaintenanceWindow = {
  readonly timeframes: readonly Timeframe[] | null;
  readonly blackoutDays: readonly { readonly first: string; readonly last: string }[];
  readonly timezone: string;
};

/** Why a window text is not one; one plain sentence. */
export type WindowRefusal = {
  readonly kind: 'TIMEFRAME_INVALID' | 'BLACKOUT_INVALID' | 'TIMEZONE_UNKNOWN';
  readonly detail: string;
};

/** Reads `HH:MM-HH:MM`; both ends equal is refused. */
export function parseTimeframe(text: string): Timeframe | WindowRefusal {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text.trim());
  if (match === null) {
    return { kind: 'TIMEFRAME_INVALID', detail: `The window "${text}" is not of the form HH:MM-HH:MM.` };
  }
  const [fromHour, from, toHour, to] = match.slice(1).map(Number) as [number, number, number, number];
  const fromMinute = fromHour * 60 + from;
  const toMinute = toHour * 60 + to;
  if (fromMinute === toMinute) {
    return { kind: 'TIMEFRAME_INVALID', detail: `The window "${text}" ends at the minute it begins.` };
  }
  return { fromMinute, toMinute };
}

/** Reads the timeframes of a window, of which there must be at least one. */
export function parseTimeframes(
  texts: readonly string[],
): { readonly timeframes: readonly Timeframe[] } | WindowRefusal {
  if (texts.length === 0) {
    return { kind: 'TIMEFRAME_INVALID', detail: 'A list of windows needs at least one HH:MM-HH:MM.' };
  }
  const timeframes: Timeframe[] = [];
  for (const text of texts) {
    const frame = parseTimeframe(text);
    if ('kind' in frame) return frame;
    timeframes.push(frame);
  }
  return { timeframes };
}

/** Reads the word `none`, which gives null timeframes, or a comma list of `HH:MM-HH:MM`. */
export function parseWindowText(
  text: string,
): { readonly timeframes: readonly Timeframe[] | null } | WindowRefusal {
  return text.trim() === 'none' ? { timeframes: null } : parseTimeframes(text.split(','));
}

/** Reads one day `2026-12-24` or a range `2026-12-24/2026-12-26`, both ends inclusive. */
export function parseBlackout(text: string): { first: string; last: string } | WindowRefusal {
  const [first, last = first, ...rest] = text.split('/').map((day) => day.trim());
  const days = [first, last].map((day) => readDay(day ?? ''));
  const [from, to] = days;
  if (rest.length > 0 || !from || !to || Temporal.PlainDate.compare(from, to) > 0) {
    return {
      kind: 'BLACKOUT_INVALID',
      detail: `The blackout date "${text}" is not a day (2026-12-24) or a range of days (2026-12-24/2026-12-26).`,
    };
  }
  return { first: from.toString(), last: to.toString() };
}

function readDay(text: string): Temporal.PlainDate | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return null;
  }
}

/** Whether the zone is a name of the IANA database that this machine knows; offsets such as `+02:00` are not. */
export function isTimezone(name: string): boolean {
  if (knownTimezones.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  knownTimezones.add(name);
  return true;
}

/** To ask takes a while, and parameters are read again and again; there are only some hundred zones. */
const knownTimezones = new Set<string>();

/** Whether a new task may start at an instant (milliseconds since the epoch), by the wall clock of the window's zone. */
export function isWindowOpen(window: MaintenanceWindow, atMs: number): boolean {
  if (window.timeframes === null && window.blackoutDays.length === 0) return true;
  return isOpenByClock(window, wallTimeAt(window.timezone, atMs));
}

/** Whether a new task may start while a clock in the window's zone shows a wall time (see {@link wallTimeAt}). */
export function isOpenByClock(window: MaintenanceWindow, wallMs: number): boolean {
  const shown = new Date(wallMs);
  const day = shown.toISOString().slice(0, 10);
  if (window.blackoutDays.some(({ first, last }) => first <= day && day <= last)) return false;
  const minute = shown.getUTCHours() * 60 + shown.getUTCMinutes();
  return window.timeframes === null || isInTimeframes(window.timeframes, minute);
}

/** Whether a minute of the day lies in one of the timeframes at least. */
export function isInTimeframes(timeframes: readonly Timeframe[], minute: number): boolean {
  return timeframes.some(({ fromMinute, toMinute }) =>
    fromMinute < toMinute
      ? fromMinute <= minute && minute < toMinute
      : minute >= fromMinute || minute < toMinute,
  );
}
