import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@stillpoint/contract';

/** One node in a process of its own, with its movers. */
export interface NodeProcess extends AsyncDisposable {
  readonly client: Client;
  /** CPU seconds that the node and all its movers have used so far. */
  cpuSeconds(): number;
}

const program = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));
const ticksPerSecond = 100;

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
    cpuSeconds: () => ticksOf(pid) / ticksPerSecond,
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** User and system time of a process with those of its ended children, and of the children it has now. */
function ticksOf(pid: number): number {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && fieldsOf(other)?.[1] === String(pid));
  const ticks = (of: number): number =>
    [11, 12, 13, 14].reduce((sum, field) => sum + Number(fieldsOf(of)?.[field] ?? 0), 0);
  return [pid, ...children].reduce((sum, of) => sum + ticks(of), 0);
}

/** The fields of /proc/PID/stat behind the name, which may hold blanks; nothing for a process that is gone. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
