import type { Run } from './run.ts';

/** What the exit codes of every Stillpoint command mean. */
export const exitCode = {
  ok: 0,
  someTaskFailed: 1,
  usage: 2,
  nothingToDo: 3,
  refusedByCheck: 4,
  notAuthorised: 5,
  unreachable: 6,
} as const;

/** One of the seven exit codes. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Exit code of a command that waited for a run; null while the run has not ended. */
export function exitCodeOfRun(run: Pick<Run, 'status' | 'reasonCode'>): ExitCode | null {
  switch (run.status) {
    case 'QUEUED':
    case 'VALIDATING':
    case 'RUNNING':
      return null;
    case 'SUCCEEDED':
      return exitCode.ok;
    case 'PARTIAL':
    case 'CANCELLED':
      return exitCode.someTaskFailed;
    case 'FAILED':
      return wasRefusedByCheck(run) ? exitCode.refusedByCheck : exitCode.someTaskFailed;
    case 'SKIPPED':
      return wasRefusedByCheck(run) ? exitCode.refusedByCheck : exitCode.nothingToDo;
  }
}

function wasRefusedByCheck({ reasonCode }: Pick<Run, 'reasonCode'>): boolean {
  return reasonCode === 'BACKUPS_ARE_DISABLED' || reasonCode?.startsWith('PRE_VALIDATION_') === true;
}
