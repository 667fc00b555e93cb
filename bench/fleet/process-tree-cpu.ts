import { readdirSync, readFileSync } from 'node:fs';

// Behind the name of the process in /proc/PID/stat: its parent, its own user and system time, and those of its ended
// children, in the unit of every Linux (USER_HZ).
const parentField = 1;
const ownFields = [11, 12];
const endedChildrenFields = [13, 14];
const ticksPerSecond = 100;

/** CPU seconds of a process so far, and of all its children, those that have ended included. */
export interface TreeCpu {
  readonly own: number;
  readonly children: number;
}

/** CPU seconds that a process and its children have used so far, from /proc. */
export function processTreeCpu(processId: number): TreeCpu {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && fieldsOf(other)?.[parentField] === String(processId));
  const secondsOf = (of: number, fields: readonly number[]): number =>
    fields.reduce((sum, field) => sum + Number(fieldsOf(of)?.[field] ?? 0), 0) / ticksPerSecond;
  const alive = children.map((child) => secondsOf(child, [...ownFields, ...endedChildrenFields]));
  return {
    own: secondsOf(processId, ownFields),
    children: alive.reduce((sum, seconds) => sum + seconds, secondsOf(processId, endedChildrenFields)),
  };
}

/** The fields of /proc/PID/stat behind the name, which may hold blanks; nothing for a process that is gone. */
function fieldsOf(processId: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
