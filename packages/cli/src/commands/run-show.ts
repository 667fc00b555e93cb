import { type CommandDefinition, withClient } from '../invocation.ts';
import { runPage } from '../run-text.ts';
import { readTasks } from '../watch-run.ts';

/** `run show`: a run, its tasks, and what the scripts of its plan printed. */
export const runShow: CommandDefinition = {
  syntax: 'show <id>',
  summary: 'show a run, its tasks, and what the scripts of its plan printed',
  examples: ['stillpoint run show 0198c1d2', 'stillpoint run show 0198c1d2 --json'],
  run: (invocation, [id = '']) =>
    withClient(invocation, async (client) => {
      const { printer } = invocation;
      const run = await client.getRun({ params: { id } });
      if (!run.ok) return printer.problem(run.problem);
      const tasks = await readTasks(client, id);
      if (!tasks.ok) return printer.problem(tasks.problem);
      const scripts = await client.listRunScripts({ params: { id } });
      if (!scripts.ok) return printer.problem(scripts.problem);
      const shown = { run: run.value, tasks: tasks.value.items, scripts: scripts.value.items };
      printer.value(shown, ({ run, tasks, scripts }) => runPage(run, tasks, scripts));
      return 0;
    }),
};
