import type { CommandDefinition } from '../invocation.ts';
import { startDatabaseProgram } from '../start-program.ts';

/** `database import`: an empty database filled from such a file. */
export const databaseImport: CommandDefinition = {
  syntax: 'import [arguments...]',
  summary: 'fill an empty database from such a file ("stillpoint database import --help")',
  examples: [],
  passesThrough: true,
  run: (invocation, args) => startDatabaseProgram(invocation, 'import', args),
};
