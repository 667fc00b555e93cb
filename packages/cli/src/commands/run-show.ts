import { type CommandDefinition, withClient } from '../invocation.ts';
import { runPage } from '../run-text.ts';
import { readTasks } from '../watch-run.ts';

/** `run show`: a run and its tasks. */
export const runShow: CommandDefinition = {
  syntax: 'show <id>',
  summary: 'show a run and its tasks',
  examples: ['stillpoint run show 0198c1d2', 'stillpoint run show 0198c1d2 --json'],
  run: (invocation, [id = '']) =>
    withClient(invocation, async (client) => {
      const { printer } = invocation;
      const run = await client.getRun({ params: { id } });
      if (!run.ok) return printer.problem(run.problem);
      const tasks = await readTasks(client, id);
      if (!tasks.ok) return printer.problem(tasks.problem);
      printer.value({ run: run.value, tasks: tasks.value.items }, ({ run, tasks }) => runPage(run, tasks));
      return 0;
    }),
};
