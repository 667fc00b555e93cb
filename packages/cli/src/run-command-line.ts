import { readFileSync } from 'node:fs';
import { exitCode, problemOf } from '@stillpoint/contract';
import { CommanderError } from 'commander';
import { invocationOf } from './invocation.ts';
import { program } from './program.ts';
import type { Surroundings } from './surroundings.ts';

/** Runs one command line (without program name) and answers its exit code; it neither exits nor prints by itself. */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let result: number = exitCode.ok;
  try {
    await program(surroundings, ownVersion(), (code) => {
      result = code;
    }).parseAsync(args, { from: 'user' });
    return result;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCode.ok;
    // Help that was not asked for has been printed already, instead of an error.
    if (error.code === 'commander.help') return exitCode.usage;
    const { printer } = invocationOf(args.includes('--json') ? { json: true } : {}, surroundings);
    const detail = sentenceOf(error.message);
    return printer.problem(problemOf({ code: 'USAGE_NOT_VALID', detail }));
  }
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Commander's message as one sentence; its hint at the right spelling stands on a line of its own. */
function sentenceOf(message: string): string {
  const text = message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?)]$/.test(text) ? '' : '.'}`;
}
