import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@stillpoint/contract';
import { processTreeCpu, type TreeCpu } from './process-tree-cpu.ts';

/** One node in a process of its own, with its movers. */
export interface NodeProcess extends AsyncDisposable {
  readonly client: Client;
  readonly processId: number;
  /** CPU seconds that the node has used so far itself, and its children: the movers. */
  cpu(): TreeCpu;
}

const program = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));

/** Starts a node on a database, with a data directory of its own; `secretKey` is the same for all nodes of a database. */
export async function startNodeProcess(
  dataDirectory: string,
  databaseUrl: string,
  secretKey: string,
): Promise<NodeProcess> {
  const child = spawn(
    process.execPath,
    [program, '--data', dataDirectory, '--port', '0', '--log-level', 'warn'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DATABASE_URL: databaseUrl, STILLPOINT_SECRET_KEY: secretKey },
    },
  );
  const exited = once(child, 'exit');
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const [said] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
  const url = /^Stillpoint serves at (\S+),/u.exec(String(said))?.[1];
  const { pid } = child;
  if (url === undefined || pid === undefined) throw new Error(`The node did not start: ${String(said)}`);
  const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim();
  return {
    client: createClient({ url, token }),
    processId: pid,
    cpu: () => processTreeCpu(pid),
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
}
