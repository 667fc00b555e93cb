import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { makeTestDataDirectory } from '../../../packages/database/src/testing/make-test-data-directory.ts';

/** A process that works below a room. */
export type RoomProcess = { readonly pid: number; readonly command: string };

/** One folder for all that a test starts and writes. */
export type Room = {
  readonly path: string;
  readonly data: string;
  readonly store: string;
  /** Where processes of the test must be started: that is how they are found again. */
  readonly work: string;
  /** What works below the room now: servers, their movers, their PostgreSQL, commands. */
  processes(): readonly RoomProcess[];
  /** Ends all of it and removes the folder. */
  dispose(): Promise<void>;
};

/** Makes a room; its processes and files are gone after `dispose`, or when the test itself dies without it. */
export function makeRoom(): Room {
  const { path, dispose } = makeTestDataDirectory();
  const [data, store, work] = ['data', 'store', 'work'].map((name) => join(path, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [store, work]) mkdirSync(folder);
  return { path, data, store, work, processes: () => processesBelow(path), dispose };
}

function processesBelow(folder: string): RoomProcess[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && (workingFolder(pid)?.startsWith(folder + sep) ?? false));
  return pids.flatMap((pid) => {
    const command = commandOf(pid);
    return command === undefined ? [] : [{ pid, command }];
  });
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Nothing for what has ended, zombies too. */
function commandOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
