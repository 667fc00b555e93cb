import type { CommandDefinition } from '../invocation.ts';
import { startProgram } from '../start-program.ts';

/** `simulator`: a pretend fleet, in the foreground. */
export const simulator: CommandDefinition = {
  syntax: 'simulator [arguments...]',
  summary: 'run a pretend fleet on loopback; what follows goes to it ("stillpoint simulator --help")',
  examples: [],
  passesThrough: true,
  run: (invocation, args) =>
    startProgram(invocation, new URL('../../../simulator/src/main.ts', import.meta.url), args),
};
