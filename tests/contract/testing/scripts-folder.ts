import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

/** One call of a recording script, as the script saw it. */
export type ScriptCall = {
  readonly args: readonly string[];
  /** What came on standard input, parsed. */
  readonly facts: Readonly<Record<string, string | number | null>>;
  /** Variables beginning with `STILLPOINT_`, but for the identifier of the call. */
  readonly environment: Readonly<Record<string, string>>;
};

/** A script that waits until the test lets it go on. */
export type Gate = { reached(): Promise<unknown>; open(): void };

/** The scripts folder of a server, with scripts that tell the test what they were given. */
export class ScriptsFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Writes a script that records its calls and ends with an exit code. */
  writeRecorder(name: string, exitCode = 0): void {
    this.#write(name, [
      'call=$(mktemp -d "$0.call.XXXXXX")',
      'cat > "$call/stdin"',
      'env -0 > "$call/env"',
      'for arg in "$@"; do printf \'%s\\0\' "$arg"; done > "$call/args"',
      `echo "script ${name} speaking"`,
      `exit ${exitCode}`,
    ]);
  }

  /** Writes a script that waits for its gate to be opened. */
  writeGate(name: string): Gate {
    this.#write(name, [': > "$0.reached"', 'until [ -e "$0.open" ]; do sleep 0.02; done']);
    const file = join(this.path, name);
    return {
      reached: () =>
        until(
          () => existsSync(`${file}.reached`),
          (isReached) => isReached,
        ),
      open: () => writeFileSync(`${file}.open`, ''),
    };
  }

  /** Writes a script that says that it was begun, does not listen to signals and never ends. */
  writeEndless(name: string): { reached(): Promise<unknown> } {
    this.#write(name, ["trap '' TERM", ': > "$0.reached"', 'echo begun', 'while :; do sleep 1; done']);
    return {
      reached: () =>
        until(
          () => existsSync(join(this.path, `${name}.reached`)),
          (isReached) => isReached,
        ),
    };
  }

  /** The calls of a recording script so far, in no order. */
  callsOf(name: string): ScriptCall[] {
    return readdirSync(this.path)
      .filter((entry) => entry.startsWith(`${name}.call.`))
      .map((entry) => {
        const read = (file: string): string => readFileSync(join(this.path, entry, file), 'utf8');
        const variables = read('env')
          .split('\0')
          .filter((line) => line.startsWith('STILLPOINT_') && !line.startsWith('STILLPOINT_SCRIPT_ID='))
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
        return {
          args: read('args').split('\0').slice(0, -1),
          facts: JSON.parse(read('stdin')),
          environment: Object.fromEntries(variables),
        };
      });
  }

  #write(name: string, lines: readonly string[]): void {
    writeFileSync(join(this.path, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  }
}
