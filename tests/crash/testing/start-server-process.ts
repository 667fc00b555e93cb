import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../../packages/contract/src/index.ts';
import { cleanEnvironment } from './clean-environment.ts';

/** How a process ended. */
export type ProcessEnd = { readonly code: number | null; readonly signal: string | null };

/** Where a server works, and what is in its environment besides what any process needs. */
export type ServerPlace = {
  readonly data: string;
  readonly work: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Words that begin its command line, for a server in surroundings of its own. */
  readonly within?: readonly string[];
};

/** A server in a process of its own that may not serve yet. */
export type LaunchedServer = {
  readonly pid: number;
  /** Right before the process was started; milliseconds since the epoch. */
  readonly startedAt: number;
  /** Its API once it serves; nothing when the process ended before. */
  readonly serving: Promise<{ readonly url: string; readonly client: Client } | undefined>;
  readonly exited: Promise<ProcessEnd>;
  /** Sends the signal to this process alone, or with `andMovers` to all of its group. */
  signal(signal: NodeJS.Signals, andMovers?: 'andMovers'): void;
  /** Sends the signal to this process alone and waits for its end. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<ProcessEnd>;
  /** Everything it wrote to standard error. */
  log(): string;
};

/** A server in a process of its own that serves. */
export type ServerProcess = LaunchedServer & { readonly url: string; readonly client: Client };

const program = fileURLToPath(new URL('../../../packages/server/src/main.ts', import.meta.url));

/** Starts a server on a data directory, on any free port, and waits for nothing. */
export function launchServer({ data, work, environment = {}, within = [] }: ServerPlace): LaunchedServer {
  const startedAt = Date.now();
  const [command, ...args] = [...within, process.execPath, program, '--data', data, '--port', '0'] as const;
  const child = spawn(command ?? '', args, {
    cwd: work,
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that it can be stopped together with its movers.
    detached: true,
  });
  const pid = child.pid ?? 0;
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const exited = once(child, 'exit').then(([code, signal]): ProcessEnd => ({ code, signal }));
  const serving = servingAt(child).then((url) => {
    if (url === undefined) return undefined;
    const token = readFileSync(join(data, 'token'), 'utf8').trim();
    return { url, client: createClient({ url, token }) };
  });
  return {
    pid,
    startedAt,
    serving,
    exited,
    signal: (signal, andMovers) => void process.kill(andMovers === undefined ? pid : -pid, signal),
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
    log: () => log,
  };
}

/** Starts a server on a data directory, on any free port, and waits until it serves. */
export async function startServerProcess(place: ServerPlace): Promise<ServerProcess> {
  const launched = launchServer(place);
  const serving = await launched.serving;
  if (serving !== undefined) return { ...launched, ...serving };
  const { code } = await launched.exited;
  throw new Error(`the server ended with ${code} before it served:\n${launched.log()}`);
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
