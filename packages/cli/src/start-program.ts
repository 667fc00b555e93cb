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
