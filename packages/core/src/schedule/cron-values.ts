/** What a field of a schedule may hold; `span` is after how many values a range that runs over the end begins anew. */
export type CronField = {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly span: number;
  /** Spellings of the values, from `min` on. */
  readonly names: readonly string[];
  /** What may be written, in words. */
  readonly allowed: string;
};

/** Why a field cannot be read: a clause that names the field, what stands there and what is allowed. */
export type FieldRefusal = { readonly why: string };

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Names of the days of the week as Quartz orders them: the first is its day 1. */
export const weekdayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** The fields of a Quartz line, with its own bounds. */
export const quartzFields = {
  second: numeric('second', 0, 59),
  minute: numeric('minute', 0, 59),
  hour: numeric('hour', 0, 23),
  dayOfMonth: {
    ...numeric('day-of-month', 1, 31),
    allowed: '1 to 31 with * , - / or one of ? L L-3 LW L-3W 15W alone',
  },
  month: { ...numeric('month', 1, 12), names: months, allowed: '1 to 12 or JAN to DEC with * , - /' },
  dayOfWeek: {
    ...numeric('day-of-week', 1, 7),
    names: weekdayNames,
    allowed: '1 to 7 or SUN to SAT (1 = SUN) with * , - / or one of ? L 6L FRIL 6#3 FRI#3 alone',
  },
  year: numeric('year', 1970, 2199),
} as const satisfies Record<string, CronField>;

function numeric(name: string, min: number, max: number): CronField {
  return { name, min, max, span: max - min + 1, names: [], allowed: `${min} to ${max} with * , - /` };
}

const PART = /^(?:\*|([A-Z]+|\d{1,4})(?:-([A-Z]+|\d{1,4}))?)?(?:\/(\d{1,4}))?$/;

/**
 * The values, in ascending order, of a field such as `1,5-7,10/15` in capital letters. Ranges may run over the end
 * (`22-2`), except those of years; `5/15` is each 15th from 5 on.
 */
export function readCronValues(text: string, field: CronField): readonly number[] | FieldRefusal {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const read = readPart(part, field);
    if ('why' in read) return read;
    for (const value of read) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

/** One value of a field, by its number or its name in capital letters; null when there is none such. */
export function readCronValue(text: string, { names, min, max }: CronField): number | null {
  const named = names.indexOf(text);
  if (named !== -1) return min + named;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return min <= value && value <= max ? value : null;
}

/** The refusal of what stands in a field. */
export function refuseField(text: string, field: CronField): FieldRefusal {
  return { why: `the ${field.name} "${text}" is not allowed (${field.allowed})` };
}

function readPart(part: string, field: CronField): readonly number[] | FieldRefusal {
  const match = part === '' ? null : PART.exec(part);
  if (match === null) return refuseField(part, field);
  const [, fromText, toText, stepText] = match;
  if (stepText !== undefined && /[A-Z]/.test(part)) {
    return { why: `the ${field.name} "${part}" is not allowed (a name takes no step; write numbers)` };
  }
  const step = Number(stepText ?? 1);
  if (step < 1 || step > field.max) {
    return { why: `the step of the ${field.name} "${part}" is not allowed (1 to ${field.max})` };
  }
  const from = fromText === undefined ? field.min : readCronValue(fromText, field);
  const isOpenEnded = toText === undefined && (fromText === undefined || stepText !== undefined);
  const to = isOpenEnded ? field.min + field.span - 1 : readCronValue(toText ?? String(from), field);
  if (from === null || to === null) return refuseField(part, field);
  return valuesOf(part, from, to, step, field);
}

function valuesOf(part: string, from: number, to: number, step: number, field: CronField) {
  if (to < from && field === quartzFields.year) {
    return { why: `the year "${part}" is not allowed (the first year of a range comes first)` };
  }
  const last = to < from ? to + field.span : to;
  const values: number[] = [];
  for (let value = from; value <= last; value += step) {
    values.push(((value - field.min) % field.span) + field.min);
  }
  return values;
}
