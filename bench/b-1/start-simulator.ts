import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';

/** A pretend appliance in a process of its own, so that serving is not counted as receiving. */
export interface RunningSimulator extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly certificateSha256: string;
  readonly processId: number;
  /** Size and SHA-256 of the file that was served last. */
  lastServed(): Promise<ServedFile>;
}

/** What the pretend appliance says that it handed over. */
export interface ServedFile {
  readonly servedBytes: number;
  readonly servedSha256: string;
}

/** Name and password of the pretend appliance's user; there is nothing to protect. */
export const login = { username: 'admin', password: 'admin-password' } as const;

/** The domain whose export is measured, and one of a few kilobytes to warm up with. */
export const domains = { large: 'LARGE', tiny: 'tiny' } as const;

const entry = fileURLToPath(import.meta.resolve('@stillpoint/simulator').replace(/index\.ts$/u, 'main.ts'));

/** Starts an appliance with an export of about `sizeBytes`, built and ready to be served from files in `folder`. */
export async function startSimulator(folder: string, sizeBytes: number): Promise<RunningSimulator> {
  const fleetFile = join(folder, 'fleet.json');
  const large = { name: domains.large, files: 64, sizeBytes };
  const devices = [{ name: 'B1', ...login, domains: [{ name: 'default' }, { name: domains.tiny }, large] }];
  await writeFile(fleetFile, JSON.stringify({ devices }));
  const child = spawn(process.execPath, [entry, fleetFile, '--ready-json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  const exited = once(child, 'exit');
  // Its files are removed with the folder, by whoever made the folder.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const lines = createInterface(child.stdout);
  const ready = await Promise.race([once(lines, 'line'), exited]);
  const said: unknown = ready[0];
  if (typeof said !== 'string' || child.pid === undefined) throw new Error('The simulator did not start.');
  const { controlUrl, devices: listening } = JSON.parse(said) as ReadyLine;
  const [device] = listening;
  if (device === undefined) throw new Error('The simulator started without a device.');
  return {
    ...device,
    processId: child.pid,
    lastServed: () => lastServed(controlUrl),
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      child.kill('SIGTERM');
      await exited;
    },
  };
}

interface ReadyLine {
  readonly controlUrl: string;
  readonly devices: readonly { host: string; port: number; certificateSha256: string }[];
}

async function lastServed(controlUrl: string): Promise<ServedFile> {
  const response = await fetch(`${controlUrl}/log`);
  const { entries } = (await response.json()) as { entries: readonly Partial<ServedFile>[] };
  const { servedBytes, servedSha256 } = entries.at(-1) ?? {};
  if (servedBytes === undefined || servedSha256 === undefined)
    throw new Error('The last request got no file.');
  return { servedBytes, servedSha256 };
}
