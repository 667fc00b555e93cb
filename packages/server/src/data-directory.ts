import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the server keeps in its data directory besides the database; every file is readable by its user alone. */
export type DataDirectory = {
  readonly path: string;
  /** Bearer token of the API. */
  readonly token: string;
  /** 32 bytes that seal the passwords of the devices. */
  readonly secretKey: Buffer;
  /** Tells this server's work from that of others; the same after a restart. */
  readonly nodeId: string;
  readonly scriptsFolder: string;
};

const KEY_BYTES = 32;

/** Opens a data directory and makes what is not there yet. `STILLPOINT_SECRET_KEY` (base64) stands in for the key file. */
export async function openDataDirectory(
  path: string,
  environment: NodeJS.ProcessEnv,
): Promise<DataDirectory> {
  await mkdir(path, { recursive: true, mode: dataDirectoryMode() });
  const scriptsFolder = join(path, 'scripts');
  await mkdir(scriptsFolder, { recursive: true, mode: 0o700 });
  const token = await keep(join(path, 'token'), () => randomBytes(32).toString('base64url'));
  const given = environment.STILLPOINT_SECRET_KEY;
  const key =
    given ?? (await keep(join(path, 'secret.key'), () => randomBytes(KEY_BYTES).toString('base64')));
  const secretKey = Buffer.from(key, 'base64');
  if (secretKey.length !== KEY_BYTES) {
    const where = given === undefined ? join(path, 'secret.key') : 'STILLPOINT_SECRET_KEY';
    throw new Error(`${where} does not hold ${KEY_BYTES} bytes in base64.`);
  }
  const nodeId = await keep(join(path, 'node-id'), randomUUID);
  return { path, token, secretKey, nodeId, scriptsFolder };
}

/** The mode that a data directory is made with. */
export function dataDirectoryMode(): number {
  // PostgreSQL refuses to run as root; the account it may then run as must be able to pass through, and no more.
  return process.getuid?.() === 0 ? 0o711 : 0o700;
}

/** Tells the commands of this machine where the server listens. */
export async function announce(path: string, url: string): Promise<void> {
  await writePrivately(join(path, 'server.json'), `${JSON.stringify({ url, pid: process.pid })}\n`);
}

/** Takes the announcement back. */
export async function withdraw(path: string): Promise<void> {
  await rm(join(path, 'server.json'), { force: true });
}

async function keep(file: string, make: () => string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const value = make();
  await writePrivately(file, `${value}\n`);
  return value;
}

/** A reader sees the old file or the whole new one. */
async function writePrivately(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text, { mode: 0o600, flush: true });
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}
