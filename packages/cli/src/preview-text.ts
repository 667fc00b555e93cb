import type { PlanPreview } from '@stillpoint/contract';
import { printable } from './printable.ts';
import { textFacts, textTable } from './text-table.ts';

/** What a run of a plan would do, for people. */
export function previewText(preview: PlanPreview): string {
  const { plan, refusal, tasks, missingScripts, warnings, window, estimate } = preview;
  const isIdle = tasks.every(({ status }) => status === 'SKIPPED');
  const verdict =
    refusal === null
      ? isIdle
        ? 'A run begun now would end at once: it has no task to do.'
        : 'A run begun now would begin.'
      : `A run begun now would be refused: ${refusal.sentence} (${refusal.code})`;
  const checks = textTable(
    ['ROW', 'CHECK', 'ANSWER', 'FINDING'],
    preview.checks.map(({ row, name, isPassed, code, sentence }) => [
      row,
      name,
      isPassed ? 'passed' : code,
      sentence,
    ]),
  );
  const facts = textFacts([
    ['Tasks', countsText(tasks)],
    ['Estimated bytes', knownText(estimate.bytes, estimate.tasksOfUnknownBytes)],
    [
      'Estimated time',
      knownText(
        estimate.durationSeconds === null ? null : `at least ${Math.ceil(estimate.durationSeconds)} s`,
        estimate.tasksOfUnknownDuration,
      ),
    ],
    ['Window', window === null ? null : `${window.sentence} (${window.timezone})`],
  ]);
  const table =
    tasks.length === 0
      ? `Plan "${plan}" yields no task.`
      : textTable(
          ['ACTION', 'DEVICE', 'DOMAIN', 'STATUS', 'BYTES', 'WHY'],
          tasks.map(({ action, device, domain, status, estimatedBytes, sentence }) => {
            const bytes = status === 'SKIPPED' ? null : (estimatedBytes ?? 'unknown');
            return [action, device, domain, status, bytes, sentence];
          }),
        );
  const doubts = [
    ...missingScripts.map(({ sentence, code }) => `Warning: ${sentence} (${code})`),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ];
  return [printable(verdict), checks, facts, table, doubts.map(printable).join('\n')]
    .filter((part) => part !== '')
    .join('\n\n');
}

function countsText(tasks: PlanPreview['tasks']): string {
  const skipped = tasks.filter(({ status }) => status === 'SKIPPED').length;
  return `${tasks.length - skipped} to do, ${skipped} skipped`;
}

/** A figure from earlier backups, and for how many tasks it says nothing. */
function knownText(figure: number | string | null, unknown: number): string {
  if (figure === null) return 'unknown';
  return unknown === 0 ? String(figure) : `${figure}, and unknown for ${unknown} tasks`;
}
