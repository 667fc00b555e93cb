import type { ScriptKind, ScriptList, ScriptOutput, ScriptTest } from '@stillpoint/contract';
import { printable } from './printable.ts';
import { textFacts, textTable } from './text-table.ts';

/** The scripts folder, one file a row. */
export function scriptListText({ folder, problem, items }: ScriptList): string {
  if (problem !== null) return printable(`${problem.sentence} ${problem.remedy}`);
  if (items.length === 0) return printable(`There is no script in ${folder}.`);
  const rows = items.map(({ name, sizeBytes, problem: why }) => [
    name,
    sizeBytes,
    why === null ? 'yes' : `no: ${why.sentence} ${why.remedy}`,
  ]);
  return `${printable(folder)}\n\n${textTable(['NAME', 'BYTES', 'CAN BE RUN'], rows)}`;
}

/** What a script was given on trial, and what became of it. */
export function scriptTestText(test: ScriptTest): string {
  const given = test.arguments.map((value, index) => [`Argument ${index + 1}`, value] as const);
  const facts = textFacts([
    ['Script', `${test.folder}/${test.name}`],
    ['As', test.kind],
    ...given,
    ['Environment', test.environment.join(', ')],
    ['Standard input', JSON.stringify(test.input)],
    ['Duration', `${test.durationMs} ms`],
    ['Exit code', test.exitCode],
    ...(test.problem === null
      ? []
      : [['Problem', `${test.problem.sentence} ${test.problem.remedy}`] as const]),
  ]);
  return `${facts}\n\n${printed(test.output)}`;
}

/** What scripts of a run or a task printed, one after the other; `of` is `plan` or `task`. */
export function scriptOutputsText(outputs: readonly ScriptOutput[], of: 'plan' | 'task'): string {
  return outputs
    .map((output) => `${headlineOf(output, `${output.phase}-${of}`)}\n${printed(output.output)}`)
    .join('\n\n');
}

function headlineOf({ script, exitCode, endedAt }: ScriptOutput, kind: ScriptKind): string {
  const end = exitCode === null ? 'came to no exit code' : `ended with exit code ${exitCode}`;
  return printable(`The ${kind} script ${script} ${end} at ${endedAt}.`);
}

/** Line by line, each behind a bar, so that nobody takes it for our own words; control characters but tabs become `?`. */
function printed(output: string): string {
  if (output === '') return 'It printed nothing.';
  const lines = output.replace(/\r?\n$/, '').split(/\r?\n/);
  return lines.map((line) => `| ${line.split('\t').map(printable).join('\t')}`.trimEnd()).join('\n');
}
