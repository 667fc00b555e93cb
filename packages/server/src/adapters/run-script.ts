import { spawn } from 'node:child_process';
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reply } from '@stillpoint/core';

/** A script that is to be run: a plain file name, its arguments, and facts for its standard input and environment. */
export type ScriptOrder = {
  readonly folder: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Goes to standard input as JSON and, one level deep, as `STILLPOINT_*` variables. */
  readonly facts: Readonly<Record<string, string | number | null>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** How a script ended; `output` is the last of what it printed, both streams as they came. */
export type ScriptResult = { readonly exitCode: number; readonly output: string };

const KEPT_OUTPUT_BYTES = 64 * 1024;

/**
 * Runs a script of the scripts folder: no shell, a process group of its own, killed as a whole at the time-out. The fault
 * says what stood in the way; an exit code above 0 is a result.
 */
export async function runScript(order: ScriptOrder): Promise<Reply<ScriptResult>> {
  const file = await findScript(order.folder, order.name);
  if (!file.ok) return file;
  return new Promise((resolve) => {
    const child = spawn(file.value, order.args, {
      cwd: order.folder,
      detached: true,
      env: environmentOf(order.facts),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output = new Tail(KEPT_OUTPUT_BYTES);
    let fault: { code: string; detail: string } | null = null;
    const stop = (code: string, detail: string): void => {
      fault ??= { code, detail };
      killGroup(child.pid);
    };
    const timer = setTimeout(
      () =>
        stop(
          'SCRIPT_TIMED_OUT',
          `The script ${order.name} ran longer than ${order.timeoutMs / 1000} seconds.`,
        ),
      order.timeoutMs,
    );
    const onAbort = (): void => stop('SCRIPT_ABORTED', `The script ${order.name} was cut off.`);
    order.signal.addEventListener('abort', onAbort);
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
    child.on('error', (error) => {
      fault ??= {
        code: 'SCRIPT_NOT_RUNNABLE',
        detail: `The script ${order.name} cannot be run: ${error.message}.`,
      };
    });
    // A script that reads nothing must not fail for that.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(order.facts)}\n`);
    // What the script left running holds the pipes open: its end counts, not theirs.
    child.on('exit', () => killGroup(child.pid));
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      order.signal.removeEventListener('abort', onAbort);
      if (fault !== null) resolve({ ok: false, fault: { ...fault, effect: 'unknown', retryable: false } });
      else
        resolve({
          ok: true,
          value: { exitCode: exitCode ?? (signal === null ? 1 : 128), output: output.text() },
        });
    });
  });
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
    // The kernel takes no NUL in an environment.
    if (value !== null) environment[`STILLPOINT_${variable}`] = String(value).replaceAll('\0', '');
  }
  return environment;
}

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
