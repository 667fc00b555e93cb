import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DatabaseFault } from '../database-error.ts';

/** What the child told about itself; either it serves, or it was refused. */
export type ServingChild = {
  readonly uid: number;
  readonly postgresPid: number;
  readonly fault: DatabaseFault | undefined;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Lets it close its database; answers its exit code. */
  close(): Promise<number | null>;
};

const program = fileURLToPath(new URL('./serve-data-directory.ts', import.meta.url));

/** Opens a data directory in a process of its own, under another uid if given; it ends with us at the latest. */
export async function serveInChild(
  dataDirectory: string,
  owner: { uid?: number; gid?: number } = {},
): Promise<ServingChild> {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [program, dataDirectory], {
    ...owner,
    cwd: '/',
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const exited = once(child, 'exit');
  const { value: line } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (line === undefined) throw new Error(`the serving child ended at once: ${complaints}`);
  const told = JSON.parse(line) as { uid: number; postgresPid: number; fault?: DatabaseFault };
  return {
    uid: told.uid,
    postgresPid: told.postgresPid,
    fault: told.fault,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async close() {
      child.stdin.end();
      const [code] = await exited;
      return code as number | null;
    },
  };
}
