// Started by make-test-data-directory.ts: waits until its input ends, then ends the servers below its folder and
// removes it. It is a process of its own because a killed test cannot clean up after itself.

import { readdirSync, rmSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { embeddedLayout } from '../embedded/embedded-layout.ts';
import { processIdentity, processWorkingFolder } from '../embedded/process-identity.ts';
import { removeRecordedFolder } from '../embedded/socket-folder.ts';

const folder = process.argv[2] ?? '';
if (!/\/stillpoint-data-[A-Za-z0-9]{6}$/.test(folder)) throw new Error(`${folder} is not a folder of a test`);

/** All processes of a server work in its cluster's folder; the folder is ours alone, and so are they. */
function serversBelow(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && processWorkingFolder(pid)?.startsWith(folder + sep) === true)
    .filter((pid) => processIdentity(pid) !== undefined);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

for await (const _ of process.stdin);
for (let left = serversBelow(); left.length > 0; left = serversBelow()) {
  left.forEach(kill);
  await delay(5);
}
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (entry.name === 'socket-folder') removeRecordedFolder(embeddedLayout(dirname(entry.parentPath)));
}
rmSync(folder, { recursive: true, force: true });
