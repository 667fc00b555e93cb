import { expect, it } from 'vitest';
import { countTests, readFigures } from '../../tools/check/run-tests.ts';

const test = (status: string) => ({ status, fullName: `a test that is ${status}` });
const file = (status: string, ...cases: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: cases.map(test),
});
const report = (...files: ReturnType<typeof file>[]) => {
  const cases = files.flatMap(({ assertionResults }) => assertionResults);
  const numPassedTests = cases.filter(({ status }) => status === 'passed').length;
  return { numTotalTests: cases.length, numPassedTests, testResults: files };
};

it('passed and failed cases are counted', () => {
  expect(countTests(report(file('failed', 'passed', 'passed', 'failed')), 1, '')).toMatchObject({
    passed: 2,
    failed: 1,
  });
});

it.each(['skipped', 'pending', 'todo'])('a case that is %s counts as failed, and is named', (status) => {
  const result = countTests(report(file('passed', 'passed', status)), 0, '');
  expect(result).toMatchObject({ passed: 1, failed: 1 });
  expect(result.output).toContain(`a test that is ${status}`);
});

it('a file that could not be loaded counts as one failure', () => {
  expect(countTests(report(file('passed', 'passed'), file('failed')), 1, '')).toMatchObject({
    passed: 1,
    failed: 1,
  });
});

it('a file whose hooks failed after its cases passed counts as one failure', () => {
  expect(countTests(report(file('failed', 'passed')), 1, '')).toMatchObject({ passed: 1, failed: 1 });
});

it('an error outside any case counts as one failure', () => {
  expect(countTests(report(file('passed', 'passed')), 1, '')).toMatchObject({ passed: 1, failed: 1 });
});

it('no report, or no test, is a failure', () => {
  expect(countTests(undefined, 0, '')).toMatchObject({ passed: 0, failed: 1 });
  expect(countTests(report(), 0, '')).toMatchObject({ passed: 0, failed: 1 });
});

it('what a test printed is shown as its figures', () => {
  const output =
    ' RUN v5\n\nstdout | a.test.ts > counts\nseeds: 12\nstates: 3\n\n ✓ a.test.ts (1 test)\nstdout | b.test.ts > b\ncases: 4\n\n';
  expect(readFigures(output)).toEqual(['seeds: 12', 'states: 3', 'cases: 4']);
});
