import { type Answer, type Client, exitCodeOfRun, type Run, type Task } from '@stillpoint/contract';
import { everyPage } from './every-page.ts';
import type { Invocation } from './invocation.ts';
import { runSummary, taskLine } from './run-text.ts';

const intervalMs = 1000;
/** How often in a row the server may fail to answer before we give up; about half a minute, enough for a restart. */
const mostMissedAnswers = 30;
/** What a shell says of a command that Ctrl-C ended. */
const interruptedExitCode = 130;

/** What is told while a run goes on. */
export interface Watching {
  readonly taskChanged: (task: Task) => void;
  readonly runEnded: (run: Run) => void;
}

/** Follows a run until it has ended, and answers the exit code of its outcome; Ctrl-C only stops the watching. */
export async function watchRun(
  { printer, surroundings }: Invocation,
  client: Client,
  id: string,
  { taskChanged, runEnded }: Watching,
): Promise<number> {
  const { signal, release } = surroundings.listenForInterrupt();
  const shown = new Map<string, string>();
  let missedAnswers = 0;
  try {
    for (;;) {
      const answer = await lookAtRun(client, id);
      if (answer.ok) {
        missedAnswers = 0;
        for (const task of answer.value.tasks) {
          if (shown.get(task.id) === task.status) continue;
          shown.set(task.id, task.status);
          taskChanged(task);
        }
        const exitCode = exitCodeOfRun(answer.value.run);
        if (exitCode !== null) {
          runEnded(answer.value.run);
          return exitCode;
        }
      } else if (!isPassing(answer.problem.code) || ++missedAnswers >= mostMissedAnswers) {
        return printer.problem(answer.problem);
      } else if (missedAnswers === 1) {
        printer.note(`${answer.problem.detail} Trying again; the run does not depend on being watched.`);
      }
      if (!signal.aborted) await surroundings.pause(intervalMs, signal);
      if (signal.aborted) {
        printer.note(
          `Stopped watching; run ${id} goes on. Watch it again with "stillpoint run watch ${id}", or cancel it with "stillpoint run cancel ${id}".`,
        );
        return interruptedExitCode;
      }
    }
  } finally {
    release();
  }
}

/** Watches as a person would: each change of a task on a line of its own, at last the run. */
export function watchAsEvents(invocation: Invocation, client: Client, id: string): Promise<number> {
  return watchRun(invocation, client, id, {
    taskChanged: (task) => invocation.printer.event({ task }, () => taskLine(task)),
    runEnded: (run) => invocation.printer.event({ run }, () => runSummary(run)),
  });
}

/** The run is read before its tasks, so that the tasks of an ended run are as they will stay. */
async function lookAtRun(client: Client, id: string): Promise<Answer<{ run: Run; tasks: Task[] }>> {
  const run = await client.getRun({ params: { id } });
  if (!run.ok) return run;
  const tasks = await readTasks(client, id);
  return tasks.ok ? { ok: true, value: { run: run.value, tasks: tasks.value.items } } : tasks;
}

/** Every task of a run, in creation order. */
export function readTasks(client: Client, id: string): Promise<Answer<{ items: Task[] }>> {
  return everyPage((cursor, limit) => client.listTasks({ params: { id }, query: { cursor, limit } }));
}

function isPassing(code: string): boolean {
  return code === 'SERVER_UNREACHABLE' || code === 'SERVER_NOT_READY';
}
