import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { type Answer, type Client, createClient, problemOf } from '@stillpoint/contract';
import type { Surroundings } from './surroundings.ts';

/** The options that every command takes. */
export interface SharedOptions {
  readonly server?: string;
  readonly data?: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

/** Data directory of the server on this machine: `--data`, STILLPOINT_DATA, else the user's own. */
export function dataDirectory(options: SharedOptions, surroundings: Surroundings): string {
  const { environment, homeDirectory, workingDirectory } = surroundings;
  const named = options.data ?? nonEmpty(environment.STILLPOINT_DATA);
  if (named !== undefined) return resolve(workingDirectory, named);
  const xdg = environment.XDG_DATA_HOME;
  const root = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homeDirectory, '.local', 'share');
  return join(root, 'stillpoint');
}

/** A client of the server that the options, the environment or the data directory name; nothing is sent yet. */
export async function connect(options: SharedOptions, surroundings: Surroundings): Promise<Answer<Client>> {
  const directory = dataDirectory(options, surroundings);
  const address = await serverAddress(options, surroundings, directory);
  if (!address.ok) return address;
  const token = await bearerToken(options, surroundings, directory);
  if (!token.ok) return token;
  return { ok: true, value: createClient({ url: address.value, token: token.value }) };
}

async function serverAddress(
  options: SharedOptions,
  { environment }: Surroundings,
  directory: string,
): Promise<Answer<string>> {
  const named = options.server ?? nonEmpty(environment.STILLPOINT_URL);
  if (named !== undefined) {
    if (isHttpAddress(named)) return { ok: true, value: named };
    const detail = `"${named}" is not the address of a server; it must be like http://127.0.0.1:8044.`;
    return { ok: false, problem: problemOf({ code: 'USAGE_NOT_VALID', detail }) };
  }
  const file = join(directory, 'server.json');
  const text = await readText(file);
  if (!text.ok) {
    const detail = `No server runs on the data directory ${directory}, since ${file} ${text.reason}.`;
    return { ok: false, problem: problemOf({ code: 'SERVER_UNREACHABLE', detail }) };
  }
  const url = addressIn(text.value);
  if (url !== null) return { ok: true, value: url };
  const detail = `${file} does not hold the address of a server.`;
  return { ok: false, problem: problemOf({ code: 'SERVER_UNREACHABLE', detail }) };
}

async function bearerToken(
  options: SharedOptions,
  { environment, workingDirectory }: Surroundings,
  directory: string,
): Promise<Answer<string>> {
  const given = nonEmpty(environment.STILLPOINT_TOKEN);
  if (options.tokenFile === undefined && given !== undefined) return { ok: true, value: given.trim() };
  const file =
    options.tokenFile === undefined ? join(directory, 'token') : resolve(workingDirectory, options.tokenFile);
  const text = await readText(file);
  const token = text.ok ? text.value.trim() : '';
  // A header cannot carry anything else, and what is no token must not be shown by an error about headers.
  if (/^[\x21-\x7e]+$/.test(token)) return { ok: true, value: token };
  const reason = text.ok ? 'does not hold a token' : text.reason;
  const detail = `There is no token to speak to the server with: ${file} ${reason}, and STILLPOINT_TOKEN is not set.`;
  return { ok: false, problem: problemOf({ code: 'NOT_AUTHORISED', detail }) };
}

type Text = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

async function readText(file: string): Promise<Text> {
  try {
    return { ok: true, value: await readFile(file, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      ok: false,
      reason: code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown reason'})`,
    };
  }
}

function addressIn(text: string): string | null {
  try {
    const { url } = JSON.parse(text) as { url?: unknown };
    return typeof url === 'string' && isHttpAddress(url) ? url : null;
  } catch {
    return null;
  }
}

function isHttpAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '';
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
