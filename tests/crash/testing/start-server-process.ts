import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../../packages/contract/src/index.ts';
import { cleanEnvironment } from './clean-environment.ts';
import type { Room } from './make-room.ts';

/** How a process ended. */
export type ProcessEnd = { readonly code: number | null; readonly signal: string | null };

/** A server in a process of its own. */
export type ServerProcess = {
  readonly pid: number;
  readonly url: string;
  /** Right before the process was started; milliseconds since the epoch. */
  readonly startedAt: number;
  readonly client: Client;
  /** Sends the signal to this process alone and waits for its end. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<ProcessEnd>;
  /** Everything it wrote to standard error. */
  log(): string;
};

const program = fileURLToPath(new URL('../../../packages/server/src/main.ts', import.meta.url));

/** Starts a server on the data directory of a room, on any free port, and waits until it serves. */
export async function startServerProcess(room: Room): Promise<ServerProcess> {
  const startedAt = Date.now();
  const child = spawn(process.execPath, [program, '--data', room.data, '--port', '0'], {
    cwd: room.work,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const exited = once(child, 'exit').then(([code, signal]): ProcessEnd => ({ code, signal }));
  const url = await servingAt(child);
  if (url === undefined) {
    const { code } = await exited;
    throw new Error(`the server ended with ${code} before it served:\n${log}`);
  }
  const token = readFileSync(join(room.data, 'token'), 'utf8').trim();
  return {
    pid: child.pid ?? 0,
    url,
    startedAt,
    client: createClient({ url, token }),
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
    log: () => log,
  };
}

/** Nothing when it ended instead. */
function servingAt({ stdout }: ChildProcessByStdio<null, Readable, Readable>): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /^Stillpoint serves at (\S+),/m.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    stdout.once('close', () => resolve(undefined));
  });
}
