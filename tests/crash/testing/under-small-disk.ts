import { fileURLToPath } from 'node:url';
import { demandCommand } from '../../../tools/check/system-packages.ts';

const program = fileURLToPath(new URL('./mount-and-become.ts', import.meta.url));

/**
 * The words before a command that lets it run where nobody else sees what it mounts, and its mounts go with it. A plain
 * user gets the right to mount together with a user namespace.
 */
export function wordsForOwnMounts(): readonly [string, ...string[]] {
  const asUser = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return [demandCommand('unshare'), '--mount', ...asUser, '--'];
}

/** Mounts a file system in memory of that many bytes and files at a folder; only of use in a namespace of one's own. */
export function wordsToMount(folder: string, sizeBytes: number, nodes: number): readonly string[] {
  const options = `size=${sizeBytes},nr_inodes=${nodes},mode=0777`;
  return [demandCommand('mount'), '-t', 'tmpfs', '-o', options, 'tmpfs', folder];
}

/** The words before a command that lets it run with a small disk of its own at a folder. */
export function wordsForSmallDisk(folder: string, sizeBytes: number): readonly string[] {
  const [user, group] = [process.getuid?.(), process.getgid?.()].map(String);
  const become = [
    process.execPath,
    '--no-warnings',
    program,
    folder,
    String(sizeBytes),
    user ?? '',
    group ?? '',
  ];
  return [...wordsForOwnMounts(), ...become];
}
