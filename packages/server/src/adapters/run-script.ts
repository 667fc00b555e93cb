import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Fault, Reply } from '@stillpoint/core';
import { GIVEN_UP } from '@stillpoint/engine';
import { mayNotAct } from '../movers/may-not-act.ts';
import {
  endScriptProcesses,
  findScriptProcesses,
  type KnownProcess,
  SCRIPT_MARKER,
  type ScriptProcesses,
  startedTicksOf,
} from './end-script-processes.ts';
import { PrintedTail } from './printed-tail.ts';
import type { ScriptCall } from './script-call.ts';
import { findScript } from './script-folder.ts';

/** A script that is to be run; its facts go to standard input as JSON and into the environment as `STILLPOINT_*`. */
export type ScriptOrder = ScriptCall & {
  readonly folder: string;
  /** The plain name of a file in the folder. */
  readonly name: string;
  /** Tells its processes from all others; see `endScriptProcesses`. */
  readonly marker: string;
  readonly timeoutMs: number;
  /** How long a script that was told to end (SIGTERM) may take before it is killed. */
  readonly graceMs: number;
  /** Ends the script: told first when the reason is `GIVEN_UP`, else killed at once. */
  readonly signal: AbortSignal;
  /** Asked right before the script is started. */
  readonly mayBegin: () => boolean;
};

/**
 * How a script ended; `output` is the last of what it printed, both streams as they came. The fault says what stood in
 * the way; an exit code above 0 is a result.
 */
export type ScriptEnd = {
  readonly reply: Reply<{ readonly exitCode: number }>;
  readonly output: string;
  /** Process ids of what could not be ended. */
  readonly leftRunning: readonly number[];
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const KEPT_OUTPUT_BYTES = 64 * 1024;
/** The kernel takes no argument and no variable of 128 KiB or more. */
const LONGEST_VARIABLE_BYTES = 120 * 1024;
/** What is left in the pipes of a script that has ended is read at once; only what was not found holds them longer. */
const PIPES_AFTER_EXIT_MS = 1000;
/** Killing takes no time, but for what hangs in the kernel. */
const KILL_MS = 5000;
/** Who prints without end is read at 50 MB/s and waits for it, so that it is not this process that is kept busy. */
const READ_AT_ONCE_BYTES = 256 * 1024;
const READ_PAUSE_MS = 5;

/** Runs a script of the scripts folder: no shell, a process group of its own, ended with all it started. */
export async function runScript(order: ScriptOrder): Promise<ScriptEnd> {
  const { name, signal } = order;
  const file = await findScript(order.folder, name);
  if (!file.ok) return nothingDone(file);
  if (!order.mayBegin()) {
    return nothingDone(mayNotAct(`The script ${name} was not begun, because this node may not act now.`));
  }
  if (signal.aborted) return notBegun('SCRIPT_ABORTED', `The script ${name} was not begun.`);
  try {
    return await attend(start(file.value, order), order);
  } catch (error) {
    return notBegun('SCRIPT_NOT_RUNNABLE', `The script ${name} cannot be run: ${(error as Error).message}.`);
  }
}

function start(file: string, { folder, args, facts, marker }: ScriptOrder): Child {
  return spawn(file, args.map(withoutNul), {
    cwd: folder,
    detached: true,
    env: scriptEnvironment(facts, marker),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Feeds a script, listens to it and ends it; rejects when it could not be started. */
async function attend(child: Child, order: ScriptOrder): Promise<ScriptEnd> {
  const { name, timeoutMs, signal, marker } = order;
  const ending = endOf(child);
  // What was never started may have no streams either.
  if (child.pid === undefined) await ending;
  const closed = new Promise((resolve) => child.once('close', resolve));
  const running = new AbortController();
  const output = listenTo(child);
  const leader = leaderOf(child);
  const known: KnownProcess[] = [];
  let fault: Fault | null = null;
  const stop = (code: string, detail: string, isTold: boolean): void => {
    fault ??= { code, detail, effect: 'unknown', retryable: false };
    if (isTold) void tellToEnd(child, order, leader, running.signal, known);
    else signalGroup(child.pid, 'SIGKILL');
  };
  after(timeoutMs, running.signal, () =>
    stop('SCRIPT_TIMED_OUT', `The script ${name} ran longer than ${timeoutMs / 1000} seconds.`, true),
  );
  const onAbort = (): void =>
    stop('SCRIPT_ABORTED', `The script ${name} was cut off.`, signal.reason === GIVEN_UP);
  signal.addEventListener('abort', onAbort, { signal: running.signal });
  // A script that reads nothing must not fail for that.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${JSON.stringify(order.facts)}\n`);
  // What comes while its processes are looked for comes too late for it, and its number may be another's by then.
  const exitCode = await ending.finally(() => running.abort());
  // What the script left running ends with it, and holds the pipes open no longer.
  signalGroup(child.pid, 'SIGKILL');
  const { leftRunning } = await endScriptProcesses({ marker, known, ...(await leader) }, KILL_MS);
  await letGoOfPipes(child, closed);
  const reply: ScriptEnd['reply'] = fault === null ? { ok: true, value: { exitCode } } : { ok: false, fault };
  return { reply, output: output.text(), leftRunning };
}

/** Reads what is left in the pipes, and waits no longer for who holds them open. */
async function letGoOfPipes({ stdout, stderr }: Child, closed: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => {
    stdout.destroy();
    stderr.destroy();
  }, PIPES_AFTER_EXIT_MS);
  await closed;
  clearTimeout(timer);
}

/** Asks a script to end, and kills it when its grace is over; `known` is told first what descends from it. */
async function tellToEnd(
  { pid }: Child,
  { marker, graceMs }: ScriptOrder,
  leader: ReturnType<typeof leaderOf>,
  running: AbortSignal,
  known: KnownProcess[],
): Promise<void> {
  after(graceMs, running, () => signalGroup(pid, 'SIGKILL'));
  // What has cleared its environment is found by its parents, as long as it has them.
  known.push(...(await findScriptProcesses({ marker, ...(await leader) })));
  if (running.aborted) return;
  signalGroup(pid, 'SIGTERM');
  // One that has stopped itself would not hear it.
  signalGroup(pid, 'SIGCONT');
}

/** The exit code, 128 for one that ended by a signal; rejects when there was no start. */
function endOf(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode) => resolve(exitCode ?? 128));
  });
}

/** The first process of a script; nothing when it has ended already. */
async function leaderOf({ pid }: Child): Promise<Pick<ScriptProcesses, 'leader'>> {
  if (pid === undefined) return {};
  const startedTicks = await startedTicksOf(pid);
  return startedTicks === null ? {} : { leader: { pid, startedTicks } };
}

function listenTo(child: Child): PrintedTail {
  const tail = new PrintedTail(KEPT_OUTPUT_BYTES);
  for (const stream of [child.stdout, child.stderr]) {
    let readBytes = 0;
    stream.on('data', (chunk: Buffer) => {
      tail.add(chunk);
      readBytes += chunk.length;
      if (readBytes < READ_AT_ONCE_BYTES) return;
      readBytes = 0;
      stream.pause();
      setTimeout(() => stream.resume(), READ_PAUSE_MS);
    });
  }
  return tail;
}

/** Does something later, unless the script has ended by then. */
function after(ms: number, running: AbortSignal, act: () => void): void {
  const timer = setTimeout(act, ms);
  running.addEventListener('abort', () => clearTimeout(timer));
}

function notBegun(code: string, detail: string): ScriptEnd {
  return nothingDone({ ok: false, fault: { code, effect: 'none', retryable: false, detail } });
}

function nothingDone(reply: ScriptEnd['reply']): ScriptEnd {
  return { reply, output: '', leftRunning: [] };
}

/** The whole environment of a script: a path, a locale, its facts, and nothing of the server's own. */
export function scriptEnvironment(facts: ScriptOrder['facts'], marker: string): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    [SCRIPT_MARKER]: marker,
  };
  for (const [name, value] of Object.entries(facts)) {
    const variable = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    const text = value === null ? null : withoutNul(String(value));
    // What is too long for a variable is on standard input all the same.
    if (text !== null && Buffer.byteLength(text) <= LONGEST_VARIABLE_BYTES) {
      environment[`STILLPOINT_${variable}`] = text;
    }
  }
  return environment;
}

/** The kernel takes no NUL in an argument or a variable. */
const withoutNul = (text: string): string => text.replaceAll('\0', '');

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}
