import { type CommandDefinition, withClient } from '../invocation.ts';
import { printable } from '../printable.ts';
import { runSummary, taskLine } from '../run-text.ts';
import { watchRun } from '../watch-run.ts';

/** `plan run`: puts a run of a plan into the queue; with `--wait` the exit code tells its outcome. */
export const planRun: CommandDefinition = {
  syntax: 'run <name>',
  summary: 'start a run of a plan',
  examples: [
    'stillpoint plan run nightly',
    'stillpoint plan run nightly --wait --json',
    'stillpoint plan run nightly --override-window "fix pack tonight, agreed with J. Meier"',
  ],
  flags: [
    {
      flag: '--wait',
      meaning: 'show its tasks as they change, until it has ended; Ctrl-C only stops the watching',
    },
    {
      flag: '--override-window <reason>',
      meaning: 'run outside the window too; the reason is kept with the run',
    },
  ],
  run: (invocation, [name = ''], { wait, overrideWindow }) =>
    withClient(invocation, async (client) => {
      const { printer } = invocation;
      const body = typeof overrideWindow === 'string' ? { windowOverrideReason: overrideWindow } : {};
      const answer = await client.runPlan({ params: { name }, body });
      if (!answer.ok) return printer.problem(answer.problem);
      const { id } = answer.value;
      if (wait !== true) {
        printer.value(answer.value, () =>
          printable(
            `Run ${id} of plan "${name}" is in the queue; watch it with "stillpoint run watch ${id}".`,
          ),
        );
        return 0;
      }
      printer.note(`Run ${id} of plan "${name}" is in the queue.`);
      return watchRun(invocation, client, id, {
        // A program that waits wants one JSON document; a person wants to see something happen.
        taskChanged: (task) => printer.progress(() => taskLine(task)),
        runEnded: (run) => printer.value(run, runSummary),
      });
    }),
};
