import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a TypeScript program with this Node in the foreground, passes signals on to it, and answers its exit code
 * (128 + the signal's number when a signal ended it).
 */
export function runProgram(
  file: URL,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  const listeners = forwarded.map((signal) => {
    // A terminal sends Ctrl-C to the whole group, so the child has it already; twice would mean "at once".
    const pass = () => {
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
    };
    process.on(signal, pass);
    return () => process.removeListener(signal, pass);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (code, signal) =>
    resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
  return promise.finally(() => {
    for (const remove of listeners) remove();
  });
}
