import { readFileSync, writeFileSync } from 'node:fs';

const bytesPerKibibyte = 1024;
// The unit of CPU times in /proc on every Linux (USER_HZ); it has nothing to do with the clock of the kernel.
const ticksPerSecond = 100;
const userTicksField = 11;
const childTicksField = 13;

/** CPU seconds that a process has used so far with all its threads, from /proc. */
export function cpuSecondsOf(processId: number): number {
  return ticksOf(processId, userTicksField) / ticksPerSecond;
}

/** CPU seconds of all children of this process that have ended and were waited for, from /proc. */
export function cpuSecondsOfEndedChildren(): number {
  return ticksOf(process.pid, childTicksField) / ticksPerSecond;
}

/** Resident memory of a process now, in bytes. */
export function residentBytesOf(processId: number): number {
  return statusBytes(processId, 'VmRSS');
}

/** The most resident memory that a process had since `forgetPeakOf`, in bytes. */
export function peakResidentBytesOf(processId: number): number {
  return statusBytes(processId, 'VmHWM');
}

/** Makes the peak of resident memory begin anew with what is resident now. */
export function forgetPeakOf(processId: number): void {
  writeFileSync(`/proc/${processId}/clear_refs`, '5');
}

function statusBytes(processId: number, field: string): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'mu').exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${processId}/status has no ${field}.`);
  return Number(kibibytes) * bytesPerKibibyte;
}

// User and system time stand side by side; the fields are counted from behind the name, which may hold blanks.
function ticksOf(processId: number, field: number): number {
  const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[field]) + Number(fields[field + 1]);
}
