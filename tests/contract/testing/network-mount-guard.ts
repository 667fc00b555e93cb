// Started by network-mount.ts: waits until its input ends, then ends every process that belongs to its folder, takes
// away every mount of it and removes it. It is a process of its own because a killed test cannot clean up after itself.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listOwnMounts, pullMount } from './own-mounts.ts';

const folder = process.argv[2] ?? '';
if (!/^stillpoint-mount-[A-Za-z0-9]{6}$/.test(basename(folder))) {
  throw new Error(`${folder} is not a folder of a test`);
}

function readOf(pid: number, file: string): string {
  try {
    return readFileSync(join('/proc', String(pid), file), 'utf8');
  } catch {
    return '';
  }
}

/** State and parent as the kernel tells them; undefined for what has ended. */
function standingOf(pid: number): { state: string; parent: number } | undefined {
  const [, state = '', parent = ''] = /^\d+ \(.*\) (\S) (\d+)/s.exec(readOf(pid, 'stat')) ?? [];
  return state === '' || state === 'Z' || state === 'X' ? undefined : { state, parent: Number(parent) };
}

/** Adds all processes that name the folder, and their children: the sessions of sshd name it nowhere. */
function growFamily(family: Set<number>): void {
  const all = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);
  for (const pid of all) if (readOf(pid, 'cmdline').includes(`${folder}/`)) family.add(pid);
  let before = -1;
  while (before !== family.size) {
    before = family.size;
    for (const pid of all) if (family.has(standingOf(pid)?.parent ?? 0)) family.add(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

for await (const _ of process.stdin);

// The processes go first: the death of sshfs sets free whoever hangs in a call to the mount.
const family = new Set<number>();
for (growFamily(family); [...family].some((pid) => standingOf(pid) !== undefined); growFamily(family)) {
  for (const pid of family) if (standingOf(pid) !== undefined) kill(pid);
  await delay(5);
}
for (let left = listOwnMounts(folder); left.length > 0; left = listOwnMounts(folder)) left.forEach(pullMount);
rmSync(folder, { recursive: true, force: true });
