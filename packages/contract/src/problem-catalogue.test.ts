import { expect, test } from 'vitest';
import { exitCodeOfProblem } from './exit-code-of-problem.ts';
import { problemOf, problemShape } from './problem.ts';
import { type ProblemCode, problemCatalogue } from './problem-catalogue.ts';

const codes = Object.keys(problemCatalogue) as ProblemCode[];

test.each(codes)('%s has a sentence, a remedy, and codes that programs understand', (code) => {
  const { httpStatus, exitCode, sentence, remedy } = problemCatalogue[code];
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
  expect(httpStatus === 0 || (httpStatus >= 400 && httpStatus < 600)).toBe(true);
  expect(exitCode).toBeGreaterThan(0);
  for (const text of [sentence, remedy]) expect(text).toMatch(/^[A-Z].+\.$/);
  const problem = problemOf({ code, detail: 'It is so.' });
  expect(problemShape.parse(problem)).toEqual(problem);
  expect(exitCodeOfProblem(problem)).toBe(exitCode);
});

test.each([
  [401, 5],
  [403, 5],
  [404, 2],
  [400, 2],
  [409, 4],
  [422, 4],
  [500, 1],
])('a problem that a newer server invented is judged by its status: %d ends in %d', (status, expected) => {
  expect(exitCodeOfProblem({ code: 'toString', status })).toBe(expected);
});
