import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** For tests: what a program said, and how it ended. */
export type EndedProgram = { readonly code: number | null; readonly out: string; readonly error: string };

/** For tests: a program of ours in a process of its own. */
export type StartedProgram = {
  readonly child: ChildProcess;
  readonly ended: Promise<EndedProgram>;
  /** Resolves with what it said first, rejects when it ends without a word. */
  readonly served: Promise<string>;
};

const inherited = ['PATH', 'HOME', 'TMPDIR'];

/** For tests: starts a program in an environment that says nothing of other servers, besides what is given. */
export function startProgram(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): StartedProgram {
  const own = inherited.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...Object.fromEntries(own), TZ: 'UTC', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const ended = once(child, 'close').then(([code]): EndedProgram => ({ code, out, error }));
  const served = Promise.race([
    once(child.stdout, 'data').then(([text]) => String(text)),
    ended.then(() => {
      throw new Error(`It ended before it served: ${error}`);
    }),
  ]);
  served.catch(() => undefined);
  return { child, ended, served };
}
