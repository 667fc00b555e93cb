import {
  type Client,
  type ExitCode,
  exitCode,
  type Guard,
  problemOf,
  type UnquiesceOutcome,
} from '@stillpoint/contract';
import { type CommandDefinition, type Invocation, withClient } from '../invocation.ts';
import { printable } from '../printable.ts';

/** `guard unquiesce`: tries at once what is otherwise tried again and again. */
export const guardUnquiesce: CommandDefinition = {
  syntax: 'unquiesce <device>',
  summary: 'unquiesce now what Stillpoint left quiesced on a device; never what somebody else quiesced',
  examples: ['stillpoint guard unquiesce QA1', 'stillpoint guard unquiesce QA1 --yes --json'],
  flags: [
    { flag: '--yes', meaning: 'do not ask first' },
    {
      flag: '--cancel-task',
      meaning: 'where a task that goes on holds it: have the task stopped; it undoes its quiesce itself',
    },
  ],
  run: (invocation, [device = ''], { yes, cancelTask }) =>
    withClient(invocation, async (client) => {
      const { printer } = invocation;
      const guards = await client.listGuards();
      if (!guards.ok) return printer.problem(guards.problem);
      const guard = guards.value.items.find((known) => known.device === device);
      if (guard === undefined) {
        const detail = `Stillpoint has quiesced nothing on "${device}".`;
        return printer.problem(problemOf({ code: 'GUARD_NOT_FOUND', detail }));
      }
      const question = questionOf(guard, cancelTask === true);
      const refusal = yes === true ? null : await refusalOf(invocation, question);
      if (refusal !== null) return printer.problem(problemOf({ code: 'USAGE_NOT_VALID', detail: refusal }));
      return unquiesce(invocation, client, guard.id, cancelTask === true);
    }),
};

function questionOf({ device, domain, taskId, hasOwner }: Guard, cancelsTask: boolean): string {
  const thing = domain === null ? device : `${device}/${domain}`;
  if (!hasOwner || !cancelsTask) return `Unquiesce ${thing} now?`;
  return `Stop the task ${taskId}, so that its backup is not taken, and have it unquiesce ${thing} now?`;
}

/** Null when a person said yes. */
async function refusalOf({ surroundings }: Invocation, question: string): Promise<string | null> {
  if (surroundings.confirm === null) return 'Without a terminal to ask on, "guard unquiesce" wants --yes.';
  const isMeant = await surroundings.confirm(printable(question));
  return isMeant ? null : 'Nothing was sent, because the question was not answered with yes.';
}

async function unquiesce(
  { printer }: Invocation,
  client: Client,
  id: string,
  cancelsTask: boolean,
): Promise<ExitCode> {
  const answer = await client.unquiesceGuard({ params: { id }, body: { cancelsTask } });
  if (!answer.ok) return printer.problem(answer.problem);
  printer.value(answer.value, ({ sentence }: UnquiesceOutcome) => printable(sentence));
  return answer.value.problem === null ? exitCode.ok : exitCode.someTaskFailed;
}
