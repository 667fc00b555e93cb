import { type CommandDefinition, withClient } from '../invocation.ts';
import { readValue, valueText } from '../parameter-value.ts';
import { printable } from '../printable.ts';

/** `params set`: a new value for a system parameter. */
export const paramsSet: CommandDefinition = {
  syntax: 'set <name> <value>',
  summary: 'set a system parameter; a list is written [a, b]',
  examples: [
    'stillpoint params set store.path /mnt/backups',
    'stillpoint params set devices.parallel 8',
    'stillpoint params set window.default "[22:00-06:00]"',
  ],
  run: (invocation, [name = '', text = '']) =>
    withClient(invocation, async (client) => {
      const { printer } = invocation;
      const known = await client.getParameter({ params: { name } });
      if (!known.ok) return printer.problem(known.problem);
      const answer = await client.setParameter({
        params: { name },
        body: { value: readValue(text, known.value) },
      });
      if (!answer.ok) return printer.problem(answer.problem);
      printer.value(answer.value, ({ value }) => printable(`${name} is ${valueText(value)} now.`));
      return 0;
    }),
};
