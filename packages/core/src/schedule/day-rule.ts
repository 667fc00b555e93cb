import {
  type FieldRefusal,
  quartzFields,
  readCronValue,
  readCronValues,
  refuseField,
} from './cron-values.ts';

/** On which days of a month a schedule fires; days of the week are numbered as Quartz does, 1 = SUN. */
export type DayRule =
  | { readonly kind: 'days'; readonly days: readonly number[] }
  | { readonly kind: 'nearestWeekday'; readonly day: number }
  | { readonly kind: 'lastDay'; readonly daysBefore: number; readonly isNearestWeekday: boolean }
  | { readonly kind: 'weekdays'; readonly weekdays: readonly number[] }
  | { readonly kind: 'nthWeekday'; readonly weekday: number; readonly nth: number }
  | { readonly kind: 'lastWeekday'; readonly weekday: number };

/** Reads the two day fields of a Quartz line in capital letters, exactly one of which must be `?`. */
export function readDayRule(dayOfMonth: string, dayOfWeek: string): DayRule | FieldRefusal {
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    return {
      why:
        `exactly one of day-of-month and day-of-week must be open, that is "?" ` +
        `(they are "${dayOfMonth}" and "${dayOfWeek}")`,
    };
  }
  return dayOfWeek === '?' ? readDayOfMonth(dayOfMonth) : readDayOfWeek(dayOfWeek);
}

function readDayOfMonth(text: string): DayRule | FieldRefusal {
  const field = quartzFields.dayOfMonth;
  const last = /^L(?:-(\d{1,2}))?(W?)$/.exec(text);
  if (last !== null) {
    const daysBefore = Number(last[1] ?? 0);
    if (daysBefore > 30 || text.startsWith('L-0')) {
      return { why: `the day-of-month "${text}" is not allowed (L, or L-1 to L-30)` };
    }
    return { kind: 'lastDay', daysBefore, isNearestWeekday: last[2] === 'W' };
  }
  const nearest = /^(\d{1,2})W$/.exec(text)?.[1];
  if (nearest !== undefined) {
    const day = readCronValue(nearest, field);
    return day === null ? refuseField(text, field) : { kind: 'nearestWeekday', day };
  }
  const days = readCronValues(text, field);
  return 'why' in days ? days : { kind: 'days', days };
}

function readDayOfWeek(text: string): DayRule | FieldRefusal {
  const field = quartzFields.dayOfWeek;
  // For Quartz a lone L is the last day of a week that begins on Sunday.
  if (text === 'L') return { kind: 'weekdays', weekdays: [7] };
  const special = /^([A-Z]{3}|\d)(?:L|#(\d+))$/.exec(text);
  if (special !== null) {
    const weekday = readCronValue(special[1] ?? '', field);
    if (weekday === null) return refuseField(text, field);
    if (special[2] === undefined) return { kind: 'lastWeekday', weekday };
    const nth = Number(special[2]);
    if (nth >= 1 && nth <= 5) return { kind: 'nthWeekday', weekday, nth };
    return { why: `the day-of-week "${text}" is not allowed (# is followed by 1 to 5)` };
  }
  const weekdays = readCronValues(text, field);
  return 'why' in weekdays ? weekdays : { kind: 'weekdays', weekdays };
}

/** The days of a month (January = 1) that a rule picks, ascending; none when the month has no such day. */
export function daysOfMonth(rule: DayRule, year: number, month: number): readonly number[] {
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const firstWeekday = new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 1;
  const firstOf = (weekday: number): number => ((weekday - firstWeekday + 7) % 7) + 1;
  const nearestWeekday = (day: number): number => {
    const weekday = ((firstWeekday + day - 2) % 7) + 1;
    if (weekday === 7) return day === 1 ? 3 : day - 1;
    if (weekday === 1) return day === length ? day - 2 : day + 1;
    return day;
  };
  const existing = (day: number): readonly number[] => (day >= 1 && day <= length ? [day] : []);
  switch (rule.kind) {
    case 'days':
      return rule.days.filter((day) => day <= length);
    case 'nearestWeekday':
      return existing(rule.day).map(nearestWeekday);
    case 'lastDay': {
      const days = existing(length - rule.daysBefore);
      return rule.isNearestWeekday ? days.map(nearestWeekday) : days;
    }
    case 'weekdays':
      return rule.weekdays
        .flatMap((weekday) => [0, 7, 14, 21, 28].map((days) => firstOf(weekday) + days))
        .filter((day) => day <= length)
        .sort((a, b) => a - b);
    case 'nthWeekday':
      return existing(firstOf(rule.weekday) + (rule.nth - 1) * 7);
    case 'lastWeekday': {
      const first = firstOf(rule.weekday);
      return [first + Math.floor((length - first) / 7) * 7];
    }
  }
}
