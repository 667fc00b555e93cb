import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { processTreeCpu } from './process-tree-cpu.ts';

/** A pretend fleet in a process of its own, so that its work is not counted as ours. */
export interface FleetProcess extends AsyncDisposable {
  /** CPU seconds that the fleet has used so far. */
  cpuSeconds(): number;
  readonly devices: readonly FleetDevice[];
  /** How many requests the devices have answered; those alone that arrived since an instant, in milliseconds since the epoch. */
  countRequests(since?: number): Promise<number>;
}

/** Where one pretend device listens. */
export interface FleetDevice {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly certificateSha256: string;
}

/** What the fleet looks like; every answer comes `latencyMs` after its request. */
export interface FleetSize {
  readonly devices: number;
  readonly domains: number;
  readonly latencyMs: number;
}

/** Name and password of the pretend devices' user; there is nothing to protect. */
export const login = { username: 'admin', password: 'admin-password' } as const;

const entry = fileURLToPath(import.meta.resolve('@stillpoint/simulator').replace(/index\.ts$/u, 'main.ts'));

/** Starts the fleet; its files are in `folder`, which the caller removes. */
export async function startFleetProcess(folder: string, size: FleetSize): Promise<FleetProcess> {
  const fleetFile = join(folder, 'fleet.json');
  const domains = Array.from({ length: size.domains }, (_, at) => ({ name: `DOMAIN${at + 1}` }));
  const devices = Array.from({ length: size.devices }, (_, at) => ({
    ...login,
    name: `DP${String(at + 1).padStart(3, '0')}`,
    latencyMs: size.latencyMs,
    domains,
  }));
  await writeFile(fleetFile, JSON.stringify({ devices }));
  const child = spawn(process.execPath, [entry, fleetFile, '--ready-json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  const exited = once(child, 'exit');
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const [said] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
  if (typeof said !== 'string' || child.pid === undefined) throw new Error('The fleet did not start.');
  const ready = JSON.parse(said) as { controlUrl: string; devices: readonly FleetDevice[] };
  const { pid } = child;
  return {
    cpuSeconds: () => processTreeCpu(pid).own,
    devices: ready.devices,
    async countRequests(since = 0) {
      const response = await fetch(`${ready.controlUrl}/log`);
      const { entries } = (await response.json()) as { entries: readonly { readonly at: string }[] };
      return entries.filter(({ at }) => Date.parse(at) >= since).length;
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
}
