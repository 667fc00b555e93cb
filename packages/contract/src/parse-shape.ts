import type { z } from 'zod';
import type { FieldError } from './problem.ts';

/** A value of the shape with its defaults filled in, or every mistake with its place; the value itself is never quoted in full. */
export type ShapeOutcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly errors: FieldError[] };

/** Reads something unknown as a shape. */
export function parseShape<Shape extends z.ZodType>(
  shape: Shape,
  input: unknown,
): ShapeOutcome<z.output<Shape>> {
  const result = shape.safeParse(input, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, errors: result.error.issues.flatMap((issue) => fieldErrorsOf(issue, [])) };
}

/** JSON pointer (RFC 6901) of a path of keys and indexes; the whole is ''. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

type Issue = z.core.$ZodIssue;

function fieldErrorsOf(issue: Issue, parent: readonly PropertyKey[]): FieldError[] {
  const place = [...parent, ...issue.path];
  const at = (code: string, message: string): FieldError[] => [{ path: jsonPointer(place), code, message }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: jsonPointer([...place, key]),
        code: 'UNKNOWN_KEY',
        message: `"${key}" is not a key that is known here`,
      }));
    case 'invalid_type':
      if (issue.input === undefined) return at('REQUIRED', 'is required and missing');
      return at(
        'WRONG_TYPE',
        `must be ${kindNames[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`,
      );
    case 'invalid_value':
      if (issue.input === undefined)
        return at('REQUIRED', `is required and missing: ${choices(issue.values)}`);
      return at('NOT_ONE_OF', `must be ${choices(issue.values)}, not ${quoted(issue.input)}`);
    case 'too_small':
      return at('TOO_SMALL', `must be ${bound('at least', issue.minimum, issue.inclusive, issue.origin)}`);
    case 'too_big':
      return at('TOO_LARGE', `must be ${bound('at most', issue.maximum, issue.inclusive, issue.origin)}`);
    case 'invalid_key':
      return issue.issues.flatMap((inner) => fieldErrorsOf(inner, place));
    case 'invalid_element':
      return issue.issues.flatMap((inner) => fieldErrorsOf(inner, place));
    case 'invalid_union':
      return unionErrors(issue, place);
    case 'custom':
      return at(typeof issue.params?.code === 'string' ? issue.params.code : 'NOT_VALID', issue.message);
    default:
      return at('NOT_VALID', issue.message);
  }
}

/** A union is told as its one branch of the right kind, when there is one, else as the kinds that it takes. */
function unionErrors(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  place: readonly PropertyKey[],
): FieldError[] {
  const ofTheRightKind = issue.errors.find((branch) => !branch.some((inner) => isOfAnotherKind(inner)));
  if (ofTheRightKind !== undefined) return ofTheRightKind.flatMap((inner) => fieldErrorsOf(inner, place));
  const path = jsonPointer(place);
  if (issue.input === undefined) return [{ path, code: 'REQUIRED', message: 'is required and missing' }];
  const accepted = issue.errors
    .flat()
    .filter((inner) => inner.path.length === 0)
    .map((inner) =>
      inner.code === 'invalid_value'
        ? choices(inner.values)
        : inner.code === 'invalid_type'
          ? (kindNames[inner.expected] ?? inner.expected)
          : inner.message,
    );
  const found = typeof issue.input === 'string' ? quoted(issue.input) : kindOf(issue.input);
  return [{ path, code: 'WRONG_TYPE', message: `must be ${accepted.join(' or ')}, not ${found}` }];
}

function isOfAnotherKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

const kindNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function kindOf(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number') return Number.isInteger(input) ? 'a number' : 'a fraction';
  return kindNames[typeof input] ?? typeof input;
}

function choices(values: readonly unknown[]): string {
  const named = values.map((value) => quoted(value));
  return named.length === 1 ? `${named[0]}` : `one of ${named.join(', ')}`;
}

function quoted(input: unknown): string {
  if (typeof input === 'string')
    return JSON.stringify(input.length > 64 ? `${input.slice(0, 64)}...` : input);
  return typeof input === 'number' || typeof input === 'boolean' ? String(input) : kindOf(input);
}

const measures: Record<string, readonly [one: string, many: string]> = {
  string: [' character long', ' characters long'],
  array: [' entry long', ' entries long'],
};

function bound(
  words: string,
  limit: number | bigint,
  inclusive: boolean | undefined,
  origin: string,
): string {
  const strict = inclusive === false ? ' (not equal)' : '';
  return `${words} ${limit}${measures[origin]?.[Number(limit) === 1 ? 0 : 1] ?? ''}${strict}`;
}
