import { exitCodeOfProblem } from '@stillpoint/contract';
import { printable } from './printable.ts';
import type { LocatedProblem, Printer } from './printer.ts';
import type { Surroundings } from './surroundings.ts';

/** Prints for people: results on standard output, notes and problems on standard error. */
export function textPrinter({
  writeOut,
  writeError,
}: Pick<Surroundings, 'writeOut' | 'writeError'>): Printer {
  const line: Printer['value'] = (value, text) => writeOut(`${text(value)}\n`);
  return {
    value: line,
    event: line,
    progress: (text) => writeOut(`${text()}\n`),
    note: (sentence) => writeError(`${printable(sentence)}\n`),
    problem: (problem) => {
      writeError(`stillpoint: ${printable(`${problem.detail} ${problem.remedy}`)}\n`);
      for (const error of problem.errors ?? [])
        if (error.file !== undefined || !problem.detail.includes(error.message))
          writeError(`  ${printable(fieldText(error))}\n`);
      return exitCodeOfProblem(problem);
    },
  };
}

function fieldText({ file, line, path, message }: NonNullable<LocatedProblem['errors']>[number]): string {
  const place = file === undefined ? '' : `${file}:${line}: `;
  return `${place}${path === '' ? '' : `${path} `}${message}`;
}
