import { readFileSync, readlinkSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same number: `startTicks` counts clock ticks since boot. */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: number; readonly bootId: string };

/** The identity of a running process from /proc, or undefined when it is gone or a zombie. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const stat = readProcFile(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = Number(fields[19]);
  if (state === 'Z' || state === 'X' || !Number.isFinite(startTicks)) return undefined;
  return { pid, startTicks, bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
}

/** True while exactly this process, not a later one with its number, is running. */
export function isProcessAlive(identity: ProcessIdentity): boolean {
  const current = processIdentity(identity.pid);
  return current?.startTicks === identity.startTicks && current.bootId === identity.bootId;
}

/** The arguments a process was started with; undefined when the kernel does not show them. */
export function processArguments(pid: number): string[] | undefined {
  return readProcFile(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1);
}

/** The folder a process works in; undefined when the kernel does not show it. */
export function processWorkingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
