import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from '../../crash/testing/clean-environment.ts';
import type { Room } from '../../crash/testing/make-room.ts';

/** What came of one command. */
export type CommandEnd = { readonly exitCode: number | null; readonly out: string; readonly error: string };

const program = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

/** Runs one `stillpoint` command as an operator on the machine of the server would, relative paths beginning at `room.work`. */
export async function runCommand(
  room: Room,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandEnd> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: room.work,
    env: cleanEnvironment({
      STILLPOINT_DATA: room.data,
      // Compiled once, for there are many of these commands.
      NODE_COMPILE_CACHE: join(room.work, 'compiled'),
      ...environment,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const [out, error, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { exitCode, out, error };
}
