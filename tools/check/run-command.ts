import { type ChildProcess, spawn } from 'node:child_process';

/** How a command ended: its exit code (128 and more when it was killed) and all it printed, in order. */
export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  readonly stdout: string;
}

export interface CommandOptions {
  readonly folder: string;
  /** The command and all it started is killed after this time. */
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const going = new Set<ChildProcess>();

/** Runs one program (no shell) in a process group of its own; never rejects. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...options.environment },
    });
    going.add(child);
    const all: Buffer[] = [];
    const fromStdout: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      all.push(chunk);
      fromStdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => all.push(chunk));
    const timer = setTimeout(() => {
      all.push(
        Buffer.from(`\n${command} did not end within ${options.timeoutMs / 1000} s and was killed.\n`),
      );
      killGroup(child);
    }, options.timeoutMs);
    const end = (exitCode: number) => {
      clearTimeout(timer);
      going.delete(child);
      resolve({
        exitCode,
        output: Buffer.concat(all).toString(),
        stdout: Buffer.concat(fromStdout).toString(),
      });
    };
    child.on('error', (error) => {
      all.push(Buffer.from(`Cannot start ${command}: ${error.message}\n`));
      end(127);
    });
    child.on('exit', (code) => {
      // What the command left behind would go on using the cores, ports and files of the steps that follow.
      killGroup(child);
      const endNow = () => end(code ?? 128);
      // The pipes close once all output is read, unless a daemon that left the group still holds them.
      const impatience = setTimeout(endNow, 2_000);
      child.on('close', () => {
        clearTimeout(impatience);
        endNow();
      });
    });
  });
}

/** Kills every command still going on; for the end of the check itself. */
export function killAllCommands(): void {
  for (const child of going) killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself.
  }
}
