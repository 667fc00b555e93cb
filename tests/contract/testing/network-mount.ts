import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { demandCommand } from '../../../tools/check/system-packages.ts';
import { listOwnMounts, pullMount } from './own-mounts.ts';
import { type FileServer, startFileServer } from './start-file-server.ts';

const guardProgram = fileURLToPath(new URL('./network-mount-guard.ts', import.meta.url));
const mountWithinMs = 20_000;
const lookEveryMs = 5;

/**
 * Serves an empty folder by an sshd on loopback and mounts it with sshfs, at `mountPoint` (an empty folder) or in a
 * folder of its own. Rejects with a sentence when a Debian package or a right is missing.
 */
export async function openNetworkMount(mountPoint?: string): Promise<NetworkMount> {
  for (const command of ['sshfs', 'fusermount3', 'ssh']) demandCommand(command);
  demandFuse();
  // The kernel tells mounts by their real paths.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'stillpoint-mount-')));
  const guard = spawn(process.execPath, [guardProgram, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const served = join(folder, 'served');
  const ownPoint = join(folder, 'mount-point');
  try {
    mkdirSync(served);
    mkdirSync(ownPoint);
    const server = await startFileServer(folder, served);
    const mount = new NetworkMount(folder, mountPoint ?? ownPoint, served, server, guard);
    await mount.mount();
    return mount;
  } catch (error) {
    await endGuard(guard);
    throw error;
  }
}

/**
 * A real network mount and all that can happen to it. Nothing here ever makes a file call on the mount itself, so a
 * stopped one hangs only who asks it. No process, mount or file is left after disposal, or when the test process ends.
 */
export class NetworkMount implements AsyncDisposable {
  readonly mountPoint: string;
  /** The served folder on the local disk: what lies in the mount can be seen here whatever has become of the mount. */
  readonly served: string;
  /** A folder on the local disk that goes away with the mount. */
  readonly folder: string;
  readonly #server: FileServer;
  readonly #guard: ChildProcess;
  #sshfs: ChildProcess | undefined;

  constructor(folder: string, mountPoint: string, served: string, server: FileServer, guard: ChildProcess) {
    this.folder = folder;
    this.mountPoint = mountPoint;
    this.served = served;
    this.#server = server;
    this.#guard = guard;
  }

  /** Mounts again what was unmounted. */
  async mount(): Promise<void> {
    const { source, clientConfig } = this.#server;
    const args = ['-f', '-F', clientConfig, source, this.mountPoint];
    const sshfs = spawn(demandCommand('sshfs'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#sshfs = sshfs;
    let said = '';
    sshfs.stderr?.on('data', (text) => {
      said += text;
    });
    sshfs.once('error', (error) => {
      said += error.message;
    });
    const deadline = performance.now() + mountWithinMs;
    while (!listOwnMounts(this.folder).includes(this.mountPoint)) {
      const isLate = performance.now() > deadline;
      if (isLate || sshfs.pid === undefined || sshfs.exitCode !== null || sshfs.signalCode !== null) {
        throw new Error(`sshfs did not mount ${source}.\n${said}\nThe server said:\n${this.#server.log()}`);
      }
      await delay(lookEveryMs);
    }
  }

  /** Lets every call on the mount hang, as with a file server that is gone without a word; resolves when they do. */
  async stop(): Promise<void> {
    const tasks = `/proc/${this.#signal('SIGSTOP')}/task`;
    const isRunning = (task: string): boolean =>
      !/^\d+ \(.*\) [tT] /s.test(readFileSync(join(tasks, task, 'stat'), 'utf8'));
    while (readdirSync(tasks).some(isRunning)) await delay(lookEveryMs);
  }

  /** Lets a stopped mount go on. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Takes the mount out of the folder tree; who has a file of it open can still reach that file. */
  unmount(): void {
    pullMount(this.mountPoint);
  }

  /** Breaks the connection for good: every call on the mount fails from now on, and the mount point stays covered. */
  async disconnect(): Promise<void> {
    this.#signal('SIGKILL');
    if (this.#sshfs !== undefined) await once(this.#sshfs, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endGuard(this.#guard);
  }

  #signal(signal: NodeJS.Signals): number {
    const processId = this.#sshfs?.pid;
    if (processId === undefined || this.#sshfs?.exitCode !== null) throw new Error('nothing is mounted');
    process.kill(processId, signal);
    return processId;
  }
}

function demandFuse(): void {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    throw new Error('This test needs /dev/fuse, readable and writable: load the kernel module fuse.');
  }
}

/** The guard does its work as soon as the other end of its input is closed, by us or by our death. */
async function endGuard(guard: ChildProcess): Promise<void> {
  if (guard.exitCode === null) {
    const exited = once(guard, 'exit');
    guard.stdin?.end();
    await exited;
  }
  if (guard.exitCode !== 0)
    throw new Error('The guard of a network mount could not clean up; it says why above.');
}
