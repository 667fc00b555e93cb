import { dataDirectory } from './connection.ts';
import type { Invocation } from './invocation.ts';

/** Runs another program of ours; a data directory that was named before its name counts for it as well. */
export function startProgram(
  { options, surroundings }: Invocation,
  file: URL,
  args: readonly string[],
): Promise<number> {
  const environment =
    options.data === undefined ? {} : { STILLPOINT_DATA: dataDirectory(options, surroundings) };
  return surroundings.startProgram(file, args, environment);
}

/** Runs the program that opens a database itself, which commands never do; options before the noun count for it. */
export function startDatabaseProgram(
  invocation: Invocation,
  name: 'export' | 'import',
  args: readonly string[],
): Promise<number> {
  const { options, surroundings } = invocation;
  const named = options.data === undefined ? [] : ['--data', dataDirectory(options, surroundings)];
  const told = [name, ...named, ...(options.json === true ? ['--json'] : []), ...args];
  const file = new URL('../../server/src/database-main.ts', import.meta.url);
  return surroundings.startProgram(file, told, {});
}
