import type { CommandDefinition } from '../invocation.ts';
import { startDatabaseProgram } from '../start-program.ts';

/** `database export`: the whole database as one file. */
export const databaseExport: CommandDefinition = {
  syntax: 'export [arguments...]',
  summary: 'write the whole database to one file ("stillpoint database export --help")',
  examples: [],
  passesThrough: true,
  run: (invocation, args) => startDatabaseProgram(invocation, 'export', args),
};
