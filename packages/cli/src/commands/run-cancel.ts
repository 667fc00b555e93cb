import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';

/** `run cancel`: ends a run before its time. */
export const runCancel: CommandDefinition = {
  syntax: 'cancel <id>',
  summary: 'cancel a run: waiting tasks at once, going ones at their next safe point, quiesce undone',
  examples: ['stillpoint run cancel 0198c1d2'],
  run: (invocation, [id = '']) =>
    showAnswer(
      invocation,
      (client) => client.cancelRun({ params: { id } }),
      (run) => printable(`Run ${run.id} of plan "${run.plan}" is being cancelled; it is ${run.status} now.`),
    ),
};
