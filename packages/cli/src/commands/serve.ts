import type { CommandDefinition } from '../invocation.ts';
import { startProgram } from '../start-program.ts';

/** `serve`: the server, in the foreground. */
export const serve: CommandDefinition = {
  syntax: 'serve [arguments...]',
  summary: 'run the server in the foreground; what follows goes to it ("stillpoint serve --help")',
  examples: [],
  passesThrough: true,
  run: (invocation, args) =>
    startProgram(invocation, new URL('../../../server/src/main.ts', import.meta.url), args),
};
