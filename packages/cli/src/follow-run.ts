import type { Client, Run } from '@stillpoint/contract';
import type { Invocation } from './invocation.ts';
import { printable } from './printable.ts';
import { runSummary, taskLine } from './run-text.ts';
import { watchRun } from './watch-run.ts';

/** Says that a run was queued, or watches it to its end; answers the exit code. `what` begins the sentence that names it. */
export function followRun(
  { printer, ...invocation }: Invocation,
  client: Client,
  run: Run,
  what: string,
  isWatched: boolean,
): Promise<number> {
  const { id } = run;
  if (!isWatched) {
    printer.value(run, () => printable(`${what}; watch it with "stillpoint run watch ${id}".`));
    return Promise.resolve(0);
  }
  printer.note(printable(`${what}.`));
  return watchRun({ printer, ...invocation }, client, id, {
    // A program that waits wants one JSON document; a person wants to see something happen.
    taskChanged: (task) => printer.progress(() => taskLine(task)),
    runEnded: (ended) => printer.value(ended, runSummary),
  });
}
