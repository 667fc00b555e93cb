import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { type Client, createClient } from '@stillpoint/contract';
import { projectFolder } from '../check/folders.ts';
import { DemoFailure } from './demo-failure.ts';
import type { DemoFolder } from './demo-folder.ts';
import { ownEnvironment } from './own-environment.ts';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly client: Client;
  /** Resolves when the process has ended, asked to or not. */
  readonly ended: Promise<unknown>;
  /** Ends it as an operator would; it first undoes what is going on. */
  readonly stop: () => Promise<void>;
}

const startMs = 60_000;
/** Longer than a server takes to undo what its tasks did. */
const stopMs = 90_000;

/** Starts the server on a free port of the loopback interface; throws what it said when it does not come up. */
export async function startServerProcess({ data, serverLog }: DemoFolder): Promise<ServerProcess> {
  const log = await open(serverLog, 'a', 0o600);
  const { size: logStart } = await log.stat();
  const main = join(projectFolder, 'packages/server/src/main.ts');
  // In a group of its own, so that Ctrl-C reaches the demo alone, which then ends everything in order.
  const child = spawn(process.execPath, [main, '--data', data, '--host', '127.0.0.1', '--port', '0'], {
    stdio: ['ignore', 'pipe', log.fd],
    detached: true,
    env: ownEnvironment(process.env),
  });
  const ended = once(child, 'exit');
  const stop = (): Promise<void> => stopProcess(child, ended);
  try {
    const url = await announcedAddress(child, ended);
    if (url === undefined) throw new DemoFailure(await sentenceOfLog(serverLog, logStart));
    const token = (await readFile(join(data, 'token'), 'utf8')).trim();
    return { url, client: createClient({ url, token }), ended, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    await log.close();
  }
}

/** The address the server tells once it serves; undefined when it ends, or stays silent, instead. */
async function announcedAddress(
  { stdout }: ChildProcess,
  ended: Promise<unknown>,
): Promise<string | undefined> {
  if (stdout === null) throw new Error('the server has a pipe for its standard output');
  const lines = createInterface({ input: stdout });
  const timeout = new AbortController();
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    ended.then(() => ''),
    wait(startMs, '', { signal: timeout.signal }),
  ]);
  timeout.abort();
  return /^Stillpoint serves at (\S+),/.exec(line)?.[1];
}

/** What the server said in words; the lines of its log are JSON. */
async function sentenceOfLog(serverLog: string, start: number): Promise<string> {
  const text = (await readFile(serverLog)).subarray(start).toString();
  const words = text.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  return `The server did not start: ${words.join(' ') || 'it gave no reason.'} Its log is ${serverLog}.`;
}

async function stopProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timeout = new AbortController();
  const isLate = await Promise.race([
    ended.then(() => false),
    wait(stopMs, true, { signal: timeout.signal }),
  ]);
  timeout.abort();
  if (!isLate) return;
  child.kill('SIGKILL');
  await ended;
}
