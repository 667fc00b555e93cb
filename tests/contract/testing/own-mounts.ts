import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { demandCommand } from '../../../tools/check/system-packages.ts';

/** The mount points of what the server in `folder` serves, and of whatever else is mounted inside that folder. */
export function listOwnMounts(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${folder}/`))
    .map((line) => line.split(' ')[4] ?? '');
}

/** Takes such a mount out of the folder tree at once, though somebody works in it or its process hangs. */
export function pullMount(mountPoint: string): void {
  execFileSync(demandCommand('fusermount3'), ['-u', '-z', mountPoint], { stdio: 'pipe' });
}
