import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DemoFailure } from './demo-failure.ts';

/** The one folder of a demo, held by this process until it is released. */
export interface DemoFolder {
  readonly path: string;
  /** Data directory of the server. */
  readonly data: string;
  /** Root of the store. */
  readonly store: string;
  readonly serverLog: string;
  readonly applyFile: string;
  readonly fleetLog: string;
  readonly release: () => Promise<void>;
}

const marker = '.stillpoint-demo';
const markerText =
  'Everything in this folder belongs to the demo of Stillpoint; "npm run demo -- --fresh" removes it.\n';

/** Opens the folder, makes what is missing, and empties it when asked to; refuses a folder that is not a demo's own. */
export async function openDemoFolder(wanted: string, isFresh: boolean): Promise<DemoFolder> {
  await mkdir(wanted, { recursive: true });
  const path = await realpath(wanted);
  const lock = await takeLock(path);
  const release = async (): Promise<void> => {
    lock.close();
    await once(lock, 'close');
  };
  try {
    await claim(path);
    if (isFresh) await empty(path);
    const folder = {
      path,
      data: join(path, 'data'),
      store: join(path, 'store'),
      serverLog: join(path, 'server.log'),
      applyFile: join(path, 'apply.yaml'),
      fleetLog: join(path, 'fleet-log.json'),
      release,
    };
    await makeDataDirectory(folder.data);
    await mkdir(folder.store, { recursive: true });
    return folder;
  } catch (error) {
    await release();
    throw error;
  }
}

/** A name in the kernel's abstract space is free again the moment its holder ends, however it ended. */
async function takeLock(path: string): Promise<Server> {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 32);
  const lock = createServer();
  lock.listen(`\0stillpoint-demo-${name}`);
  try {
    await once(lock, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new DemoFailure(
      `A demo is already running in ${path}. End it (Ctrl-C where it runs), or give this one a folder of its own: npm run demo -- --data-folder FOLDER`,
    );
  }
  return lock;
}

/** Marks an empty folder as the demo's own; a folder with anything else in it must be marked already. */
async function claim(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(marker)) return;
  if (names.length > 0) {
    throw new DemoFailure(
      `${path} is not empty and is no folder of the demo (there is no ${marker} in it), so it is left alone. Name another one with --data-folder.`,
    );
  }
  await writeFile(join(path, marker), markerText);
}

async function empty(path: string): Promise<void> {
  const going = await processesNaming(join(path, 'data'));
  if (going.length > 0) {
    throw new DemoFailure(
      `${path} is still used by what an earlier demo left behind (process ${going.join(', ')}). End it with "kill ${going.join(' ')}" and try again.`,
    );
  }
  for (const name of await readdir(path)) {
    if (name !== marker) await rm(join(path, name), { recursive: true, force: true });
  }
}

/** Processes with this folder, or something in it, among their arguments. */
async function processesNaming(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const naming = await Promise.all(
    pids.map(async (pid) => {
      // A process that has ended meanwhile has no arguments.
      const text = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
      return text.split('\0').some((argument) => argument === folder || argument.startsWith(`${folder}/`));
    }),
  );
  return pids.filter((_, index) => naming[index]).map(Number);
}

/** PostgreSQL refuses to be root: where it runs as another user, that user must pass this folder (not read it). */
async function makeDataDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (process.geteuid?.() === 0) await chmod(path, 0o711);
}
