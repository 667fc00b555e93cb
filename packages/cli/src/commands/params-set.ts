import { type Parameter, problemOf } from '@stillpoint/contract';
import { type CommandDefinition, type Invocation, withClient } from '../invocation.ts';
import { readValue, valueText } from '../parameter-value.ts';
import { printable } from '../printable.ts';
import { readTextFile } from '../read-text-file.ts';

/** `params set`: a new value for a system parameter. */
export const paramsSet: CommandDefinition = {
  syntax: 'set <name> [value]',
  summary: 'set a system parameter; a list is written [a, b]; a secret one is asked for, or read',
  examples: [
    'stillpoint params set store.path /mnt/backups',
    'stillpoint params set devices.parallel 8',
    'stillpoint params set window.default "[22:00-06:00]"',
    'stillpoint params set notices.caPem --file ca.pem',
    'stillpoint params set mail.password',
    'stillpoint params set webhook.secret --file /run/secrets/webhook',
  ],
  flags: [
    { flag: '--file <file>', meaning: 'read the value from a file' },
    { flag: '--from-env <variable>', meaning: 'read the value from a variable of the environment' },
  ],
  run: (invocation, [name = '', text], flags) =>
    withClient(invocation, async (client) => {
      const { printer } = invocation;
      const known = await client.getParameter({ params: { name } });
      if (!known.ok) return printer.problem(known.problem);
      const given = await valueGiven(invocation, known.value, text, flags);
      if (!given.ok) return printer.problem(problemOf(given.refusal));
      const answer = await client.setParameter({
        params: { name },
        body: { value: known.value.isSecret ? given.text : readValue(given.text, known.value) },
      });
      if (!answer.ok) return printer.problem(answer.problem);
      printer.value(answer.value, (parameter) => printable(sentenceOf(parameter, known.value)));
      return 0;
    }),
};

type Given =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly refusal: Parameters<typeof problemOf>[0] };

/** A secret never comes as an argument, where every user of the machine could see it; an empty one is no secret. */
async function valueGiven(
  { surroundings }: Invocation,
  { name, isSecret }: Parameter,
  text: string | undefined,
  { file, fromEnv }: Readonly<Record<string, unknown>>,
): Promise<Given> {
  const sources = [text, file, fromEnv].filter((source) => source !== undefined);
  if (sources.length > 1)
    return usage('The value is given once: as an argument, by --file or by --from-env.');
  if (typeof file === 'string') return readTextFile(file, surroundings.workingDirectory);
  if (typeof fromEnv === 'string') {
    const value = surroundings.environment[fromEnv];
    if (value === undefined) return usage(`The variable ${fromEnv} is not in the environment.`);
    return { ok: true, text: value };
  }
  if (text !== undefined && isSecret && text !== '')
    return usage(`${name} is secret: leave its value out to be asked for it, or use --file or --from-env.`);
  if (text !== undefined) return { ok: true, text };
  if (!isSecret) return usage(`A value for ${name} is missing.`);
  if (surroundings.askSecret === null)
    return usage(`Nobody can be asked for ${name} here: use --file or --from-env.`);
  const answer = await surroundings.askSecret(`${name}: `);
  if (answer === null || answer === '') return usage(`Nothing was given, so ${name} stays as it is.`);
  return { ok: true, text: answer };
}

function usage(detail: string): Given {
  return { ok: false, refusal: { code: 'USAGE_NOT_VALID', detail } };
}

function sentenceOf({ name, value, isSecret, isSet }: Parameter, before: Parameter): string {
  if (isSecret) return `${name} is ${isSet ? 'set' : 'not set'} now.`;
  const was = valueText(before.value) ?? 'not set';
  return `${name} is ${valueText(value) ?? 'not set'} now; it was ${was}.`;
}
