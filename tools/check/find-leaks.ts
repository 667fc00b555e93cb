import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const patienceMs = 5_000;

/**
 * What tests left behind that ran with `folder` as their folder for temporary files: files in it, and processes that
 * still name it in their arguments, environment or working folder. Processes get a moment to end.
 */
export async function findLeaks(folder: string): Promise<string[]> {
  const deadline = performance.now() + patienceMs;
  let processes = listProcesses(folder);
  while (processes.length > 0 && performance.now() < deadline) {
    await wait(100);
    processes = listProcesses(folder);
  }
  return [
    ...processes.map((process) => `left a process behind: ${process}`),
    ...readdirSync(folder).map((name) => `left a file behind: ${name}`),
  ];
}

function listProcesses(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      [readText(pid, 'cmdline'), readText(pid, 'environ'), readFolder(pid)].some((text) =>
        text.includes(folder),
      ),
    )
    .filter((pid) => !/^\d+ \(.*\) Z/.test(readText(pid, 'stat')))
    .map((pid) => `${pid} ${readText(pid, 'cmdline').replaceAll('\0', ' ')}`);
}

function readText(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8');
  } catch {
    // The process has ended, or belongs to somebody else.
    return '';
  }
}

function readFolder(pid: string): string {
  try {
    return readlinkSync(join('/proc', pid, 'cwd'));
  } catch {
    return '';
  }
}
