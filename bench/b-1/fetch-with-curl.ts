import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuSecondsOfEndedChildren } from './process-figures.ts';
import { domains, login, type RunningSimulator } from './start-simulator.ts';

/** What one download took, and where the file is. */
export interface CurlFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly path: string;
}

const management = 'http://www.datapower.com/schemas/management';

/**
 * What people do without Stillpoint: `curl | { head -c N; base64 -d > file; }; sync file`, with the kernel's pipes
 * between the processes. `head` swallows the envelope before the text; what comes after it ends `base64` with a
 * complaint, when all bytes are written. No cheaper way to strip an envelope was found.
 */
export class CurlDownload {
  readonly #folder: string;
  readonly #simulator: RunningSimulator;
  readonly #prefixBytes: number;

  private constructor(folder: string, simulator: RunningSimulator, prefixBytes: number) {
    this.#folder = folder;
    this.#simulator = simulator;
    this.#prefixBytes = prefixBytes;
  }

  /** Learns from a tiny export how long the envelope before the base64 text is. */
  static async prepare(folder: string, simulator: RunningSimulator): Promise<CurlDownload> {
    const answer = join(folder, 'answer.xml');
    const arguments_ = await curlArguments(folder, simulator, domains.tiny);
    await ended('curl', [...arguments_, '--output', answer], ['ignore', 'ignore', 'inherit']);
    const text = await readFile(answer, 'latin1');
    const start = text.indexOf('<dp:file>');
    if (start === -1) throw new Error('The answer to curl holds no file.');
    return new CurlDownload(folder, simulator, start + '<dp:file>'.length);
  }

  /** Downloads the large export once, durably; throws when anything but the end of the text was not as it should be. */
  async fetch(): Promise<CurlFigures> {
    const path = join(this.#folder, 'from-curl.zip');
    const arguments_ = await curlArguments(this.#folder, this.#simulator, domains.large);
    await rm(path, { force: true });
    const pipe = await openPipe(this.#folder);
    const cpuSecondsBefore = cpuSecondsOfEndedChildren();
    const startedAt = performance.now();
    const curl = ended('curl', arguments_, ['ignore', pipe.writeEnd, 'inherit']);
    closeSync(pipe.writeEnd);
    await ended('head', ['-c', String(this.#prefixBytes)], [pipe.readEnd, 'ignore', 'inherit']);
    const file = openSync(path, 'wx');
    // Complains about the end of the envelope; whether the bytes are right is seen by their hash.
    const base64 = ended('base64', ['-d'], [pipe.readEnd, file, 'ignore'], [0, 1]);
    closeSync(pipe.readEnd);
    closeSync(file);
    await Promise.all([curl, base64]);
    await ended('sync', [path], ['ignore', 'ignore', 'inherit']);
    const seconds = (performance.now() - startedAt) / 1000;
    return { seconds, cpuSeconds: cpuSecondsOfEndedChildren() - cpuSecondsBefore, path };
  }
}

async function curlArguments(folder: string, simulator: RunningSimulator, domain: string): Promise<string[]> {
  const request = join(folder, `request-${domain}.xml`);
  await writeFile(
    request,
    `<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body><dp:request xmlns:dp="${management}" domain="default"><dp:do-backup format="ZIP" persisted="true"><dp:domain name="${domain}"/></dp:do-backup></dp:request></env:Body></env:Envelope>`,
  );
  const url = `https://${simulator.host}:${simulator.port}/service/mgmt/current`;
  return ['-sk', '-u', `${login.username}:${login.password}`, '--data-binary', `@${request}`, url];
}

type Descriptor = number | 'ignore' | 'inherit';

async function ended(
  command: string,
  arguments_: readonly string[],
  stdio: readonly [Descriptor, Descriptor, Descriptor],
  goodCodes: readonly number[] = [0],
): Promise<void> {
  const child = spawn(command, arguments_, { stdio: [...stdio] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === null || !goodCodes.includes(code)) throw new Error(`${command} ended with exit code ${code}.`);
}

// Node would put socket pairs between its children, which are slower than what a shell puts there.
async function openPipe(folder: string): Promise<{ readEnd: number; writeEnd: number }> {
  const path = join(folder, 'pipe');
  await rm(path, { force: true });
  await ended('mkfifo', [path], ['ignore', 'ignore', 'inherit']);
  // Either end alone would wait for the other one; the read end is opened again because children expect one that waits.
  const opener = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  const readEnd = openSync(path, constants.O_RDONLY);
  closeSync(opener);
  return { readEnd, writeEnd };
}
