import type { Run, ScriptOutput, Task } from '@stillpoint/contract';
import { printable } from './printable.ts';
import { scriptOutputsText } from './script-text.ts';
import { textFacts, textTable } from './text-table.ts';

/** One line that says how a task stands. */
export function taskLine(task: Task): string {
  const why = task.sentence === null ? '' : `  ${task.sentence}`;
  return printable(`${task.status.padEnd(9)}  ${task.action}  ${placeOf(task)}${attemptText(task)}${why}`);
}

/** One line that says how a run stands. */
export function runSummary(run: Run): string {
  const why = run.sentence === null ? '' : ` ${run.sentence}`;
  return printable(`Run ${run.id} of plan "${run.plan}": ${run.status}; ${countersText(run)}.${why}`);
}

/** A run, its tasks, and what the scripts of its plan printed. */
export function runPage(run: Run, tasks: readonly Task[], scripts: readonly ScriptOutput[]): string {
  const facts = textFacts([
    ['Run', run.id],
    ['Plan', run.plan],
    ...(run.repeatsRunId === null ? [] : [['Repeats run', run.repeatsRunId] as const]),
    ['Status', run.reasonCode === null ? run.status : `${run.status} (${run.reasonCode})`],
    ['Started', run.startedAt],
    ['Ended', run.endedAt],
    ['Devices', run.counters.devices],
    ['Domains', run.counters.domains],
    ['Tasks', countersText(run)],
    ...(run.sentence === null ? [] : [['Message', run.sentence] as const]),
    ...(run.windowOverrideReason === null ? [] : [['Window override', run.windowOverrideReason] as const]),
    ...run.warnings.map((warning) => ['Warning', warning] as const),
  ]);
  const table = tasks.length === 0 ? 'This run has no tasks.' : taskTable(tasks);
  const parts = [facts, table, scriptOutputsText(scripts, 'plan')];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Runs, one a row. */
export function runTable(runs: readonly Run[]): string {
  if (runs.length === 0) return 'No run matches.';
  const head = [
    'ID',
    'PLAN',
    'STARTED',
    'STATUS',
    'DEVICES',
    'DOMAINS',
    'OK',
    'FAILED',
    'SKIPPED',
    'MESSAGE',
  ];
  const rows = runs.map(({ id, plan, startedAt, status, counters, sentence }) => {
    const { devices, domains, succeeded, failed, skipped, cancelled } = counters;
    return [id, plan, startedAt, status, devices, domains, succeeded, failed + cancelled, skipped, sentence];
  });
  return textTable(head, rows);
}

function taskTable(tasks: readonly Task[]): string {
  const rows = tasks.map((task) => {
    const sizeBytes = task.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    const { id, action, device, domain, endedAt, files, sentence } = task;
    const status = `${task.status}${attemptText(task)}`;
    return [id, action, device, domain, status, endedAt, files.length, sizeBytes, sentence];
  });
  const table = textTable(
    ['ID', 'ACTION', 'DEVICE', 'DOMAIN', 'STATUS', 'ENDED', 'FILES', 'BYTES', 'MESSAGE'],
    rows,
  );
  const warnings = tasks.flatMap((task) =>
    task.warnings.map((warning) => `Warning for ${placeOf(task)}: ${warning}`),
  );
  const again = tasks.flatMap((task) =>
    task.nextAttemptAt === null ? [] : [`${placeOf(task)} is tried again at ${task.nextAttemptAt}.`],
  );
  return [table, ...[...again, ...warnings].map(printable)].join('\n');
}

/** Nothing for a task that is tried once. */
function attemptText({ attempt, attempts }: Task): string {
  return attempts === 1 ? '' : ` (attempt ${attempt} of ${attempts})`;
}

function placeOf({ device, domain }: Task): string {
  return domain === null ? device : `${device}/${domain}`;
}

function countersText({ counters }: Run): string {
  const { waiting, running, succeeded, failed, skipped, cancelled } = counters;
  const parts = Object.entries({ waiting, running, succeeded, failed, skipped, cancelled });
  const said = parts.filter(([, count]) => count > 0).map(([word, count]) => `${count} ${word}`);
  return said.length === 0 ? 'no tasks' : said.join(', ');
}
