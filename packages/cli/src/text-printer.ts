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
      for (const text of linesOf(problem)) writeError(`${printable(text)}\n`);
      return exitCodeOfProblem(problem);
    },
  };
}

/** One mistake of a file is told in one line; of several each has its own, and the first says what came of them. */
function linesOf({ title, detail, remedy, errors = [] }: LocatedProblem): string[] {
  const [only, second] = errors;
  if (only?.file !== undefined && second === undefined) {
    return [`stillpoint: ${ended(fieldText(only))} ${remedy}`];
  }
  const isToldBelow = only?.file !== undefined && detail.includes(only.message);
  const headline = `stillpoint: ${isToldBelow ? title : detail} ${remedy}`;
  const told = errors.filter(({ file, message }) => file !== undefined || !detail.includes(message));
  return [headline, ...told.map((error) => `  ${fieldText(error)}`)];
}

const ended = (text: string): string => (/[.?)]$/.test(text) ? text : `${text}.`);

function fieldText({ file, line, path, message }: NonNullable<LocatedProblem['errors']>[number]): string {
  const place = file === undefined ? '' : `${file}:${line}: `;
  return `${place}${path === '' ? '' : `${path} `}${message}`;
}
