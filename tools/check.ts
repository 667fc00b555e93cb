// `npm test [-- STEP ...]`: runs every check of the project, or only the named steps (`npm test -- --list`).

import { projectFolder, resultFolder } from './check/folders.ts';
import { killAllCommands } from './check/run-command.ts';
import { type EndedStep, runSteps } from './check/run-steps.ts';
import { listSteps, selectSteps } from './check/steps.ts';

const longestOutput = 20_000;

function describe(step: EndedStep): string {
  const seconds = (step.durationMs / 1000).toFixed(1).padStart(6);
  const verdict = step.failed === 0 ? 'ok    ' : 'FAILED';
  return `${verdict} ${step.name.padEnd(16)} ${seconds} s   ${step.passed} passed, ${step.failed} failed`;
}

function printEnd(step: EndedStep): void {
  console.log(describe(step));
  for (const figure of step.figures ?? []) console.log(`       ${figure}`);
  if (step.failed === 0) return;
  const shown = step.output.trimEnd();
  if (shown.length > longestOutput) console.log(`... (the whole of it: .tmp/check/${step.name}.log)`);
  console.log(shown.slice(-longestOutput).replace(/^/gm, '  | '));
}

const names = process.argv.slice(2);
const steps = listSteps(projectFolder);
if (names.includes('--list')) {
  console.log(steps.map((step) => step.name).join('\n'));
  process.exit(0);
}
const unknown = names.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `No such step: ${unknown.join(', ')}. There are: ${steps.map((step) => step.name).join(', ')}.`,
  );
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAllCommands();
    process.exit(130);
  });
}

const startedAt = performance.now();
const ended = await runSteps(selectSteps(steps, names), { logFolder: resultFolder, onEnd: printEnd });
const passed = ended.reduce((sum, step) => sum + step.passed, 0);
const failed = ended.reduce((sum, step) => sum + step.failed, 0);
console.log(`\n${ended.map(describe).join('\n')}`);
console.log(`\nin ${Math.round((performance.now() - startedAt) / 1000)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
