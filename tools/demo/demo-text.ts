import { dirname } from 'node:path';
import type { Task } from '@stillpoint/contract';
import type { RequestLogEntry } from '@stillpoint/simulator';
import type { DemoReport } from './demo-report.ts';

const quiesceRequests: Readonly<Record<string, { text: string; isForDevice: boolean }>> = {
  QuiesceDP: { text: 'is quiesced', isForDevice: true },
  UnquiesceDP: { text: 'is unquiesced', isForDevice: true },
  DomainQuiesce: { text: 'is quiesced', isForDevice: false },
  DomainUnquiesce: { text: 'is unquiesced', isForDevice: false },
};

/** One line about a fact of the surroundings: a word and what belongs to it. */
export function factLine(word: string, text: string): string {
  return `  ${word.padEnd(14)} ${text}`;
}

/** One line about a task whose status has changed. */
export function taskLine(task: Task, elapsedMs: number): string {
  const why = task.sentence === null ? '' : `  ${task.sentence}`;
  return `${moment(elapsedMs, placeOf(task))} ${task.status.padEnd(10)} ${actionText(task)}${why}`;
}

/** One line about a quiesce or unquiesce that a device was asked for; null for any other request. */
export function quiesceLine(entry: RequestLogEntry, elapsedMs: number): string | null {
  const { operation, outcome, device, domain = null } = entry;
  const request = quiesceRequests[operation];
  if (request === undefined) return null;
  const place = placeOf({ device, domain: request.isForDevice ? null : domain });
  return `${moment(elapsedMs, place)}   ${request.text}${outcome === 'ok' ? '' : ` (${outcome})`}`;
}

/** How the run ended: a table of its tasks with their files, and what is quiesced now. */
export function reportText({ run, tasks, quiescedNow, storePath }: DemoReport): string {
  const counts = Object.entries(run.counts).filter(([, count]) => count > 0);
  const fileCount = tasks.reduce((sum, { files }) => sum + files.length, 0);
  const lines = tasks.flatMap((task) => {
    const [first = task.reason ?? '', ...others] = placesOf(task.files.map(({ path }) => path));
    const head = `  ${task.status.padEnd(10)} ${actionText(task).padEnd(14)} ${placeOf(task).padEnd(14)} ${amountText(task)}`;
    return [head, ...others.map(() => ' '.repeat(head.length))].map(
      (start, index) => `${start}  ${[first, ...others][index]}`,
    );
  });
  return [
    `The run ended ${run.status}: ${counts.map(([status, count]) => `${count} ${status}`).join(', ')}`,
    '',
    ...lines,
    '',
    factLine('files', `${fileCount}, below ${storePath}`),
    factLine(
      'quiesced now',
      quiescedNow.length === 0 ? 'none' : quiescedNow.map((one) => placeOf(one)).join(', '),
    ),
  ].join('\n');
}

function moment(elapsedMs: number, place: string): string {
  return `${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${place.padEnd(14)}`;
}

function actionText({ action }: Pick<Task, 'action'>): string {
  return action === 'SECURE_BACKUP' ? 'secure backup' : 'export';
}

function placeOf({ device, domain }: { readonly device: string; readonly domain: string | null }): string {
  return domain === null ? device : `${device}/${domain}`;
}

/** A secure backup is a folder; an export is told file by file. */
function placesOf(paths: readonly string[]): string[] {
  const folders = new Set(paths.map((path) => `${dirname(path)}/`));
  return folders.size === 1 && paths.length > 2 ? [...folders] : [...paths];
}

/** As wide for a task without files. */
function amountText({ files }: DemoReport['tasks'][number]): string {
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const text = `${files.length} ${files.length === 1 ? 'file ' : 'files'} ${(sizeBytes / 1e6).toFixed(1).padStart(6)} MB`;
  return files.length === 0 ? ' '.repeat(text.length) : text;
}
