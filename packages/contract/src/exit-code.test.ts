import { expect, test } from 'vitest';
import { exitCodeOfRun } from './exit-code.ts';
import type { RunStatus } from './run.ts';

test.each<[RunStatus, string | null, number | null]>([
  ['QUEUED', null, null],
  ['VALIDATING', null, null],
  ['RUNNING', null, null],
  ['SUCCEEDED', null, 0],
  ['PARTIAL', null, 1],
  ['CANCELLED', null, 1],
  ['FAILED', 'PLAN_FAILED_PRE_SCRIPT', 1],
  ['FAILED', null, 1],
  ['FAILED', 'PRE_VALIDATION_STORE_IS_NOT_MOUNTED', 4],
  ['SKIPPED', null, 3],
  ['SKIPPED', 'PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED', 3],
  ['SKIPPED', 'PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW', 4],
  ['SKIPPED', 'BACKUPS_ARE_DISABLED', 4],
])('a run that is %s because of %s ends in %s', (status, reasonCode, expected) => {
  expect(exitCodeOfRun({ status, reasonCode })).toBe(expected);
});
