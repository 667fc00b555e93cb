import type { PlanPreview } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';
import { textTable } from '../text-table.ts';

/** `plan preview`: which tasks a run would have. */
export const planPreview: CommandDefinition = {
  syntax: 'preview <name>',
  summary: 'show which tasks a run of the plan would have now, without starting one',
  examples: ['stillpoint plan preview nightly'],
  run: (invocation, [name = '']) =>
    showAnswer(invocation, (client) => client.previewPlan({ params: { name } }), previewText),
};

function previewText({ plan, refusal, tasks, warnings }: PlanPreview): string {
  const refused =
    refusal === null
      ? []
      : [`A run begun now would be refused: ${printable(refusal.sentence)} (${refusal.code})`];
  const table =
    tasks.length === 0
      ? `Plan "${printable(plan)}" yields no task.`
      : textTable(
          ['ACTION', 'DEVICE', 'DOMAIN', 'STATUS', 'WHY'],
          tasks.map(({ action, device, domain, status, sentence }) => [
            action,
            device,
            domain,
            status,
            sentence,
          ]),
        );
  return [...refused, table, ...warnings.map((warning) => `Warning: ${printable(warning)}`)].join('\n');
}
