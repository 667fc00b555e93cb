import type { TaskDetail } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';
import { taskLine } from '../run-text.ts';
import { scriptOutputsText } from '../script-text.ts';
import { textTable } from '../text-table.ts';

/** `task show`: a task, its steps, and what its scripts printed. */
export const taskShow: CommandDefinition = {
  syntax: 'show <id>',
  summary: 'show a task, its steps, and what its scripts printed',
  examples: ['stillpoint task show 0198c1d2-0000-7000-8000-000000000000'],
  run: (invocation, [id = '']) =>
    showAnswer(invocation, (client) => client.getTask({ params: { id } }), taskText),
};

function taskText(task: TaskDetail): string {
  const isTriedOnce = task.attempts === 1;
  const steps = textTable(
    [...(isTriedOnce ? [] : ['ATTEMPT']), 'STEP', 'STARTED', 'ENDED', 'OUTCOME', 'DETAIL'],
    task.steps.map(({ attempt, name, startedAt, endedAt, outcome, detail }) => {
      const step = [name, startedAt, endedAt, outcome, detail];
      return isTriedOnce ? step : [attempt, ...step];
    }),
  );
  const warnings = task.warnings.map((warning) => printable(`Warning: ${warning}`));
  const scripts = scriptOutputsText(task.scripts, 'task');
  return [[taskLine(task), ...warnings].join('\n'), steps, scripts]
    .filter((part) => part !== '')
    .join('\n\n');
}
