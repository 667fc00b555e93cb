import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Fault, Reply } from '@stillpoint/core';
import { mayNotAct } from '../movers/may-not-act.ts';

/** A script that is to be run: a plain file name, its arguments, and facts for its standard input and environment. */
export type ScriptOrder = {
  readonly folder: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Goes to standard input as JSON and, one level deep, as `STILLPOINT_*` variables. */
  readonly facts: Readonly<Record<string, string | number | null>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Asked right before the script is started. */
  readonly mayBegin: () => boolean;
};

/**
 * How a script ended; `output` is the last of what it printed, both streams as they came. The fault says what stood in
 * the way; an exit code above 0 is a result.
 */
export type ScriptEnd = { readonly reply: Reply<{ readonly exitCode: number }>; readonly output: string };

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const KEPT_OUTPUT_BYTES = 64 * 1024;
/** The kernel takes no argument and no variable of 128 KiB or more. */
const LONGEST_VARIABLE_BYTES = 120 * 1024;
/** What is left in the pipes of a script that has ended is read at once; only what escaped its group holds them longer. */
const PIPES_AFTER_EXIT_MS = 1000;

/** Runs a script of the scripts folder: no shell, a process group of its own, killed as a whole at the time-out. */
export async function runScript(order: ScriptOrder): Promise<ScriptEnd> {
  const { name, signal } = order;
  const file = await findScript(order.folder, name);
  if (!file.ok) return { reply: file, output: '' };
  if (!order.mayBegin()) {
    const reply = mayNotAct(`The script ${name} was not begun, because this node may not act now.`);
    return { reply, output: '' };
  }
  if (signal.aborted) return notBegun('SCRIPT_ABORTED', `The script ${name} was not begun.`);
  try {
    return await attend(start(file.value, order), order);
  } catch (error) {
    return notBegun('SCRIPT_NOT_RUNNABLE', `The script ${name} cannot be run: ${(error as Error).message}.`);
  }
}

function start(file: string, { folder, args, facts }: ScriptOrder): Child {
  return spawn(file, args.map(withoutNul), {
    cwd: folder,
    detached: true,
    env: environmentOf(facts),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Feeds a script, listens to it and ends it; rejects when it could not be started. */
function attend(child: Child, order: ScriptOrder): Promise<ScriptEnd> {
  const { name, timeoutMs, signal } = order;
  return new Promise((resolve, reject) => {
    const output = new Tail(KEPT_OUTPUT_BYTES);
    let fault: Fault | null = null;
    const stop = (code: string, detail: string): void => {
      fault ??= { code, detail, effect: 'unknown', retryable: false };
      killGroup(child.pid);
    };
    const timer = setTimeout(
      () => stop('SCRIPT_TIMED_OUT', `The script ${name} ran longer than ${timeoutMs / 1000} seconds.`),
      timeoutMs,
    );
    const onAbort = (): void => stop('SCRIPT_ABORTED', `The script ${name} was cut off.`);
    signal.addEventListener('abort', onAbort);
    let pipes: NodeJS.Timeout | undefined;
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
    child.on('error', reject);
    // A script that reads nothing must not fail for that.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(order.facts)}\n`);
    // What the script left running holds the pipes open: its end counts, not theirs.
    child.on('exit', () => {
      killGroup(child.pid);
      pipes = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, PIPES_AFTER_EXIT_MS);
    });
    child.on('close', (exitCode, killedBy) => {
      clearTimeout(timer);
      clearTimeout(pipes);
      signal.removeEventListener('abort', onAbort);
      const value = { exitCode: exitCode ?? (killedBy === null ? 1 : 128) };
      resolve({ reply: fault === null ? { ok: true, value } : { ok: false, fault }, output: output.text() });
    });
  });
}

function notBegun(code: string, detail: string): ScriptEnd {
  return { reply: { ok: false, fault: { code, effect: 'none', retryable: false, detail } }, output: '' };
}

/** Only a regular file directly inside the folder is a script; a link that leads out of it is not. */
async function findScript(folder: string, name: string): Promise<Reply<string>> {
  const refuse = (why: string): Reply<string> => {
    const detail = `The script "${name}" ${why} in ${folder}.`;
    return { ok: false, fault: { code: 'SCRIPT_NOT_FOUND', effect: 'none', retryable: false, detail } };
  };
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return refuse('is not the plain name of a file');
  try {
    const root = await realpath(folder);
    const path = join(root, name);
    const stat = await lstat(path);
    return stat.isFile() ? { ok: true, value: path } : refuse('is not a regular file');
  } catch {
    return refuse('does not exist');
  }
}

function environmentOf(facts: ScriptOrder['facts']): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };
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

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended.
  }
}

/** Keeps the last bytes of a stream. */
class Tail {
  readonly #limit: number;
  #kept = Buffer.alloc(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk]);
    this.#kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#limit)));
  }

  /** What is not UTF-8 shows as replacement characters; NUL, which the database does not take, too. */
  text(): string {
    return this.#kept.toString('utf8').replaceAll('\0', '\uFFFD');
  }
}
