import { expect, test } from 'vitest';
import { z } from 'zod';
import { jsonPointer, parseShape } from './parse-shape.ts';

function errorsOf(shape: z.ZodType, input: unknown) {
  const outcome = parseShape(shape, input);
  return outcome.ok ? [] : outcome.errors.map(({ path, code, message }) => [path, code, message]);
}

test.each<[z.ZodType, unknown, string, string, string]>([
  [z.object({ a: z.string() }), {}, '/a', 'REQUIRED', 'is required and missing'],
  [z.object({ a: z.string() }), { a: 7 }, '/a', 'WRONG_TYPE', 'must be text, not a number'],
  [z.object({ a: z.int() }), { a: 1.5 }, '/a', 'WRONG_TYPE', 'must be a whole number, not a fraction'],
  [z.object({ a: z.boolean() }), { a: null }, '/a', 'WRONG_TYPE', 'must be true or false, not nothing'],
  [z.array(z.string()), {}, '', 'WRONG_TYPE', 'must be a list, not an object'],
  [z.enum(['on', 'off']), 'yes', '', 'NOT_ONE_OF', 'must be one of "on", "off", not "yes"'],
  [z.literal(true), false, '', 'NOT_ONE_OF', 'must be true, not false'],
  [z.object({ a: z.enum(['x']) }), {}, '/a', 'REQUIRED', 'is required and missing: "x"'],
  [z.string().min(3), 'x', '', 'TOO_SMALL', 'must be at least 3 characters long'],
  [z.number().max(9), 10, '', 'TOO_LARGE', 'must be at most 9'],
  [z.array(z.string()).min(1), [], '', 'TOO_SMALL', 'must be at least 1 entry long'],
  [z.strictObject({}), { 'a/b~c': 1 }, '/a~1b~0c', 'UNKNOWN_KEY', '"a/b~c" is not a key that is known here'],
  [z.union([z.string(), z.number()]), true, '', 'WRONG_TYPE', 'must be text or a number, not true or false'],
  [
    z.union([z.enum(['none']), z.array(z.string())]),
    'x',
    '',
    'WRONG_TYPE',
    'must be "none" or a list, not "x"',
  ],
  [
    z.union([z.string(), z.strictObject({ script: z.string() })]),
    { script: 1 },
    '/script',
    'WRONG_TYPE',
    'must be text, not a number',
  ],
  [
    z.record(z.string().regex(/^a/, 'must begin with a'), z.int()),
    { b: 1 },
    '/b',
    'NOT_VALID',
    'must begin with a',
  ],
])('%#: a mistake is told with its place, code and sentence', (shape, input, path, code, message) => {
  expect(errorsOf(shape, input)).toEqual([[path, code, message]]);
});

test('a long value is not quoted in full', () => {
  const [[, , message] = []] = errorsOf(z.enum(['a']), 'x'.repeat(5000));
  expect(message?.length).toBeLessThan(120);
});

test('a pointer escapes what JSON pointers escape', () => {
  expect(jsonPointer([])).toBe('');
  expect(jsonPointer(['a/b', 0, '~'])).toBe('/a~1b/0/~0');
});
