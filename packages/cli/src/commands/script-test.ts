import { exitCode, type ScriptTest, scriptKindShape } from '@stillpoint/contract';
import { InvalidArgumentError } from 'commander';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { scriptTestText } from '../script-text.ts';

/** `script test`: runs a script with sample data. */
export const scriptTest: CommandDefinition = {
  syntax: 'test <name>',
  summary: 'run a script on the server with sample data (exit code 1 when it fails, 4 when it cannot be run)',
  examples: ['stillpoint script test before.sh', 'stillpoint script test after.sh --kind post-task'],
  flags: [
    { flag: '--kind <kind>', meaning: kinds().join(', ').concat('; pre-plan when left out'), parse: kindOf },
  ],
  run: (invocation, [name = ''], { kind }) =>
    showAnswer(
      invocation,
      (client) =>
        client.testScript({
          params: { name },
          body: typeof kind === 'string' ? { kind: kindOf(kind) } : {},
        }),
      scriptTestText,
      exitCodeOf,
    ),
};

function kinds(): readonly string[] {
  return scriptKindShape.options;
}

function kindOf(text: string): ScriptTest['kind'] {
  const kind = scriptKindShape.safeParse(text);
  if (kind.success) return kind.data;
  throw new InvalidArgumentError(`It must be one of ${kinds().join(', ')}.`);
}

function exitCodeOf({ exitCode: ended, problem }: ScriptTest): 0 | 1 | 4 {
  if (problem !== null) {
    // It was run, and failed by that.
    return problem.code === 'SCRIPT_TIMED_OUT' ? exitCode.someTaskFailed : exitCode.refusedByCheck;
  }
  return ended === 0 ? exitCode.ok : exitCode.someTaskFailed;
}
