import { exitCodeOfProblem } from '@stillpoint/contract';
import type { Printer } from './printer.ts';
import type { Surroundings } from './surroundings.ts';

/** Prints for programs: values and problems on standard output, each a JSON document; events one a line. */
export function jsonPrinter({ writeOut }: Pick<Surroundings, 'writeOut'>): Printer {
  return {
    value: (value) => writeOut(`${JSON.stringify(value, null, 2)}\n`),
    event: (value) => writeOut(`${JSON.stringify(value)}\n`),
    progress: () => {},
    note: () => {},
    problem: (problem) => {
      writeOut(`${JSON.stringify(problem, null, 2)}\n`);
      return exitCodeOfProblem(problem);
    },
  };
}
