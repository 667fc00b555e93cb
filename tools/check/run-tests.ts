import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLeaks } from './find-leaks.ts';
import { projectFolder, resultFolder } from './folders.ts';
import { runCommand } from './run-command.ts';
import type { StepResult } from './step.ts';

interface TestReport {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const timeoutMs = 15 * 60_000;

/**
 * Runs the tests whose path begins with `prefix` in Vitest and counts its cases. A skipped case counts as failed, and so
 * does whatever the tests left behind: they get a folder of their own for temporary files, which must be empty at the end.
 */
export async function runTests(name: string, prefix: string, workers: number): Promise<StepResult> {
  const reportFile = join(resultFolder, `${name}.json`);
  rmSync(reportFile, { force: true });
  const temporary = mkdtempSync(join(tmpdir(), 'stillpoint-'));
  // Tests that run as root start programs under other accounts, which must get through here.
  chmodSync(temporary, 0o1777);
  const remove = () => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', remove);
  const { exitCode, output } = await runCommand(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      prefix,
      `--maxWorkers=${workers}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
    ],
    { folder: projectFolder, timeoutMs, environment: { TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' } },
  );
  const leaks = await findLeaks(temporary);
  remove();
  process.off('exit', remove);
  const { passed, failed, output: seen } = countTests(readReport(reportFile), exitCode, output);
  return {
    passed,
    failed: failed + leaks.length,
    output: [seen, ...leaks].join('\n'),
    figures: readFigures(output),
  };
}

/** Counts cases from Vitest's JSON report; whatever is not plainly a passed test is a failure. */
export function countTests(report: TestReport | undefined, exitCode: number, output: string): StepResult {
  if (report === undefined) {
    return {
      passed: 0,
      failed: 1,
      output: `${output}\nVitest ended (exit code ${exitCode}) without a report.`,
    };
  }
  if (report.numTotalTests === 0 && report.testResults.length === 0) {
    return { passed: 0, failed: 1, output: `${output}\nNo test was found, so nothing was checked.` };
  }
  const notes = [output];
  let failed = report.numTotalTests - report.numPassedTests;
  for (const file of report.testResults) {
    const cases = file.assertionResults;
    for (const test of cases) {
      if (test.status !== 'passed' && test.status !== 'failed')
        notes.push(`${test.status}, not run: ${test.fullName}`);
    }
    // A file that could not be loaded, or whose hooks failed, has no failed case to count.
    if (file.status !== 'passed' && cases.every((test) => test.status === 'passed')) failed += 1;
  }
  // Vitest also fails for errors outside any case, such as a rejection nobody handled.
  if (failed === 0 && exitCode !== 0) failed = 1;
  return { passed: report.numPassedTests, failed, output: notes.join('\n') };
}

/** What tests printed, from Vitest's output: the lines between `stdout | FILE > TEST` and the next blank one. */
export function readFigures(output: string): string[] {
  const blocks = output.matchAll(/^stdout \| .*\n((?:.+\n)+)/gm);
  return [...blocks].flatMap(([, lines = '']) => lines.trimEnd().split('\n'));
}

function readReport(file: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
