import { type ExitCode, exitCode } from './exit-code.ts';
import type { Problem } from './problem.ts';
import { type ProblemCode, problemCatalogue } from './problem-catalogue.ts';

/** Exit code of a command that met a problem; a code of a newer server is judged by its HTTP status. */
export function exitCodeOfProblem({ code, status }: Pick<Problem, 'code' | 'status'>): ExitCode {
  if (Object.hasOwn(problemCatalogue, code)) return problemCatalogue[code as ProblemCode].exitCode;
  if (status === 401 || status === 403) return exitCode.notAuthorised;
  if (status === 400 || status === 404) return exitCode.usage;
  return status < 500 ? exitCode.refusedByCheck : exitCode.someTaskFailed;
}
