import { followRun } from '../follow-run.ts';
import { type CommandDefinition, withClient } from '../invocation.ts';

/** `run rerun`: does again what failed in a run; with `--wait` the exit code tells its outcome. */
export const runRerun: CommandDefinition = {
  syntax: 'rerun <id>',
  summary: 'start a run that does again what failed in another one, with the plan as it was then',
  examples: [
    'stillpoint run rerun 0198c1d2 --failed',
    'stillpoint run rerun 0198c1d2 --failed --wait --json',
  ],
  flags: [
    {
      flag: '--failed',
      meaning: 'only the tasks that failed, were cancelled, or whose device did not answer; has to be given',
      isRequired: true,
    },
    {
      flag: '--wait',
      meaning: 'show its tasks as they change, until it has ended; Ctrl-C only stops the watching',
    },
    {
      flag: '--override-window <reason>',
      meaning: 'run outside the window too; the reason is kept with the run',
    },
  ],
  run: (invocation, [id = ''], { wait, overrideWindow }) =>
    withClient(invocation, async (client) => {
      const reason = typeof overrideWindow === 'string' ? { windowOverrideReason: overrideWindow } : {};
      const answer = await client.rerunRun({ params: { id }, body: { onlyFailed: true, ...reason } });
      if (!answer.ok) return invocation.printer.problem(answer.problem);
      const { id: runId, plan } = answer.value;
      const what = `Run ${runId} of plan "${plan}", which repeats what failed in run ${id}, is in the queue`;
      return followRun(invocation, client, answer.value, what, wait === true);
    }),
};
