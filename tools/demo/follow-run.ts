import { setTimeout as wait } from 'node:timers/promises';
import { type Client, exitCodeOfRun, type Run, type Task } from '@stillpoint/contract';
import { DemoFailure } from './demo-failure.ts';
import { valueOrFailure } from './value-or-failure.ts';

/** A run with its tasks in creation order. */
export interface RunWithTasks {
  readonly run: Run;
  readonly tasks: readonly Task[];
}

const pollMs = 100;
const longestRunMs = 120_000;

/** Follows a run until it has ended and tells each task whose status has changed; rejects with the signal. */
export async function followRun(
  client: Client,
  id: string,
  { signal, onTask }: { readonly signal: AbortSignal; readonly onTask: (task: Task) => void },
): Promise<RunWithTasks> {
  const seen = new Map<string, string>();
  const deadline = performance.now() + longestRunMs;
  while (performance.now() < deadline) {
    // The run is read before its tasks, so that the tasks of an ended run are as they will stay.
    const run = await valueOrFailure(client.getRun({ params: { id } }));
    const { items: tasks } = await valueOrFailure(
      client.listTasks({ params: { id }, query: { limit: 1000 } }),
    );
    for (const task of tasks) {
      if (seen.get(task.id) !== task.status) onTask(task);
      seen.set(task.id, task.status);
    }
    if (exitCodeOfRun(run) !== null) return { run, tasks };
    await wait(pollMs, undefined, { signal });
  }
  throw new DemoFailure(`The run ${id} has not ended within ${longestRunMs / 1000} s.`);
}
