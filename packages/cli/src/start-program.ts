import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { problemOf } from '@stillpoint/contract';
import { dataDirectory } from './connection.ts';
import type { Invocation } from './invocation.ts';

/** Runs another program of ours; a data directory that was named before its name counts for it as well. */
export async function startProgram(
  { options, surroundings, printer }: Invocation,
  file: URL,
  args: readonly string[],
): Promise<number> {
  if (!existsSync(file)) {
    const detail = `The program ${fileURLToPath(file)} is not installed.`;
    return printer.problem(problemOf({ code: 'FILE_NOT_READABLE', detail }));
  }
  const environment =
    options.data === undefined ? {} : { STILLPOINT_DATA: dataDirectory(options, surroundings) };
  return surroundings.startProgram(file, args, environment);
}
