import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerInTime } from './answer-in-time.ts';

/** The variable that names a script, for its processes to be found by: what a process starts inherits it. */
export const SCRIPT_MARKER = 'STILLPOINT_SCRIPT_ID';

/** A process; another one may have its number later, but was started later, too. `startedTicks` counts from the boot. */
export type KnownProcess = { readonly pid: number; readonly startedTicks: number };

/** Which processes are meant. */
export type ScriptProcesses = {
  /** How the value of their marker begins. */
  readonly marker: string;
  /** The first process of the script: its session and group are meant as well, and nothing that is older. */
  readonly leader?: KnownProcess;
  /** What was found before. */
  readonly known?: readonly KnownProcess[];
};

type Seen = KnownProcess & { readonly parent: number; readonly group: number; readonly session: number };

const LOOK_AGAIN_MS = 20;
/** Who hangs in the kernel with its memory locked does not show its environment; the others are looked at all the same. */
const ANSWER_MS = 500;

/** What was found of a script, and the process ids of what could not be ended. */
export type EndedProcesses = { readonly count: number; readonly leftRunning: readonly number[] };

/**
 * Kills what is left of a script, also what went into a session of its own, for `withinMs` milliseconds at most: `/proc`
 * itself does not answer for some that hang in the kernel. Knows Linux only: elsewhere a script has its process group and
 * nothing more.
 */
export async function endScriptProcesses(meant: ScriptProcesses, withinMs: number): Promise<EndedProcesses> {
  const found = new Set<number>();
  let left: readonly KnownProcess[] = [];
  const over = new AbortController();
  const { signal } = over;
  const killAll = async (): Promise<void> => {
    while (!signal.aborted) {
      left = await findScriptProcesses(meant);
      if (left.length === 0) return;
      for (const { pid } of left) found.add(pid);
      await Promise.all(left.map(kill));
      await sleep(LOOK_AGAIN_MS);
    }
  };
  const giveUp = sleep(withinMs, undefined, { signal }).catch(() => undefined);
  await Promise.race([killAll(), giveUp]);
  over.abort();
  return { count: found.size, leftRunning: left.map(({ pid }) => pid) };
}

/** What runs of a script: what carries its marker or belongs to its first process, and all that descends from these. */
export async function findScriptProcesses(meant: ScriptProcesses): Promise<KnownProcess[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = new Map<number, KnownProcess>();
  const others: Seen[] = [];
  const sought = await withoutReusedLeader(meant);
  for (const pid of pids) {
    const seen = await look(pid);
    if (seen === null || seen.startedTicks < (meant.leader?.startedTicks ?? 0)) continue;
    if (await isMeant(seen, sought)) found.set(pid, seen);
    else others.push(seen);
  }
  // A child may stand before its parent in the list.
  for (let count = -1; count !== found.size; ) {
    count = found.size;
    for (const other of others) if (found.has(other.parent)) found.set(other.pid, other);
  }
  return [...found.values()].map(({ pid, startedTicks }) => ({ pid, startedTicks }));
}

/** When a process was started; null when it is gone. */
export async function startedTicksOf(pid: number): Promise<number | null> {
  return (await look(pid))?.startedTicks ?? null;
}

/** A number is given out again only when nothing is left of the group and the session that bore it. */
async function withoutReusedLeader(meant: ScriptProcesses): Promise<ScriptProcesses> {
  const { leader, ...others } = meant;
  if (leader === undefined) return others;
  const startedTicks = await startedTicksOf(leader.pid);
  return startedTicks === null || startedTicks === leader.startedTicks ? meant : others;
}

async function isMeant(seen: Seen, { marker, leader, known = [] }: ScriptProcesses): Promise<boolean> {
  const { pid, startedTicks, group, session } = seen;
  if (known.some((one) => one.pid === pid && one.startedTicks === startedTicks)) return true;
  if (leader !== undefined && [pid, group, session].includes(leader.pid)) return true;
  try {
    const read = (): Promise<string> => readFile(`/proc/${pid}/environ`, 'latin1');
    const environment = await answerInTime(`environment of ${pid}, ${startedTicks}`, read, ANSWER_MS);
    return `\0${environment ?? ''}`.includes(`\0${SCRIPT_MARKER}=${marker}`);
  } catch {
    // It has ended, or is another user's.
    return false;
  }
}

/** Null for what has ended, also when nobody has buried it yet. */
async function look(pid: number): Promise<Seen | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold blanks and brackets; what follows is proc_pid_stat(5) from its third field on.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const [parent = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number);
    return { pid, parent, group, session, startedTicks: Number(fields[19]) };
  } catch {
    return null;
  }
}

/** Looks once more: while the others were looked for, its number may have become that of a process nobody means. */
async function kill({ pid, startedTicks }: KnownProcess): Promise<void> {
  if ((await startedTicksOf(pid)) !== startedTicks) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, or is another user's.
  }
}
