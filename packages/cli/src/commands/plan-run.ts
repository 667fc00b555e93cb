import { problemOf } from '@stillpoint/contract';
import { followRun } from '../follow-run.ts';
import { type CommandDefinition, withClient } from '../invocation.ts';
import { overrideFlags, windowOverride } from '../window-override.ts';

/** `plan run`: puts a run of a plan into the queue; with `--wait` the exit code tells its outcome. */
export const planRun: CommandDefinition = {
  syntax: 'run <name>',
  summary: 'start a run of a plan',
  examples: [
    'stillpoint plan run nightly',
    'stillpoint plan run nightly --wait --json',
    'stillpoint plan run nightly --override-window --reason "fix pack tonight, agreed with J. Meier"',
  ],
  flags: [
    {
      flag: '--wait',
      meaning: 'show its tasks as they change, until it has ended; Ctrl-C only stops the watching',
    },
    ...overrideFlags,
  ],
  run: (invocation, [name = ''], { wait, ...flags }) =>
    withClient(invocation, async (client) => {
      const override = windowOverride(flags);
      if (!override.ok) return invocation.printer.problem(problemOf(override.refusal));
      const answer = await client.runPlan({ params: { name }, body: override.body });
      if (!answer.ok) return invocation.printer.problem(answer.problem);
      const what = `Run ${answer.value.id} of plan "${name}" is in the queue`;
      return followRun(invocation, client, answer.value, what, wait === true);
    }),
};
