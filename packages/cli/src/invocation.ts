import type { Answer, Client, ExitCode } from '@stillpoint/contract';
import { connect, type SharedOptions } from './connection.ts';
import { jsonPrinter } from './json-printer.ts';
import type { Printer } from './printer.ts';
import type { Surroundings } from './surroundings.ts';
import { textPrinter } from './text-printer.ts';

/** One call of a command: what it was given, and how it speaks. */
export interface Invocation {
  readonly options: SharedOptions;
  readonly surroundings: Surroundings;
  readonly printer: Printer;
}

/** One flag of a command, as commander reads it. */
interface Flag {
  readonly flag: string;
  readonly meaning: string;
  readonly isRequired?: true;
  readonly parse?: (text: string) => unknown;
}

/** A command as data; `run` answers the exit code. */
export interface CommandDefinition {
  /** As commander reads it, e.g. `show <id>`. */
  readonly syntax: string;
  readonly summary: string;
  readonly examples: readonly string[];
  readonly flags?: readonly Flag[];
  readonly isDefault?: true;
  /** Everything after the name of the command goes to `run` as it is. */
  readonly passesThrough?: true;
  readonly run: (
    invocation: Invocation,
    args: readonly string[],
    flags: Readonly<Record<string, unknown>>,
  ) => Promise<number>;
}

/** The invocation of a command with these shared options. */
export function invocationOf(options: SharedOptions, surroundings: Surroundings): Invocation {
  return {
    options,
    surroundings,
    printer: options.json === true ? jsonPrinter(surroundings) : textPrinter(surroundings),
  };
}

/** Connects and goes on with the client, or prints why that cannot be. */
export async function withClient(
  { options, surroundings, printer }: Invocation,
  proceed: (client: Client) => Promise<number>,
): Promise<number> {
  const client = await connect(options, surroundings);
  return client.ok ? proceed(client.value) : printer.problem(client.problem);
}

/** Makes one call and prints what it came to. */
export function showAnswer<Value>(
  invocation: Invocation,
  call: (client: Client) => Promise<Answer<Value>>,
  text: (value: Value) => string,
  exitCodeOf: (value: Value) => ExitCode = () => 0,
): Promise<number> {
  return withClient(invocation, async (client) => {
    const answer = await call(client);
    if (!answer.ok) return invocation.printer.problem(answer.problem);
    invocation.printer.value(answer.value, text);
    return exitCodeOf(answer.value);
  });
}
