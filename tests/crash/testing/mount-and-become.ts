// Started in a mount namespace of its own: mounts a small disk at a folder and becomes the command that follows, with the
// process id it has. The namespace, and the disk, are gone with its last process.

import { execFileSync } from 'node:child_process';
import { demandCommand } from '../../../tools/check/system-packages.ts';
import { wordsToMount } from './under-small-disk.ts';

const [, , folder = '', sizeBytes = '', user = '', group = '', ...become] = process.argv;
const [mount = '', ...args] = wordsToMount(folder, Number(sizeBytes), 1000);
execFileSync(mount, args, { stdio: ['ignore', 'ignore', 'inherit'] });
// Who had to look like root in order to mount is itself again: a database refuses to run as root.
const asItself =
  user === '0' ? [] : [demandCommand('unshare'), `--map-user=${user}`, `--map-group=${group}`, '--'];
const [command = '', ...others] = [...asItself, ...become];
process.execve?.(command, [command, ...others]);
