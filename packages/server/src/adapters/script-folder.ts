import { constants, type Dirent } from 'node:fs';
import { access, lstat, open, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, Reply } from '@stillpoint/core';
import { answerInTime } from './answer-in-time.ts';

/** A file of the scripts folder; `problem` says why it cannot be run, null for nothing. */
export type ScriptFile = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly problem: Fault | null;
};

/** How what the kernel starts by itself begins. */
const PROGRAM_BEGINNINGS = ['#!', '\x7fELF'];

/** A folder that takes longer lies on a mount that hangs. */
const ANSWER_MS = 10_000;

type Refuse = (code: string, why: string) => Reply<string>;

/** The path of a script: a regular, executable file directly inside the folder; a link is none, wherever it leads. */
export async function findScript(folder: string, name: string): Promise<Reply<string>> {
  const refuse: Refuse = (code, why) => {
    const detail = `The script "${name}" ${why} in ${folder}.`;
    return { ok: false, fault: { code, effect: 'none', retryable: false, detail } };
  };
  const find = (): Promise<Reply<string>> => findInFolder(folder, name, refuse);
  const found = await answerInTime(`script ${folder}/${name}`, find, ANSWER_MS);
  return found ?? refuse('SCRIPT_NOT_RUNNABLE', `was not found within ${ANSWER_MS / 1000} seconds`);
}

async function findInFolder(folder: string, name: string, refuse: Refuse): Promise<Reply<string>> {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/.test(name)) {
    return refuse('SCRIPT_NOT_FOUND', 'is not the plain name of a file');
  }
  let path: string;
  try {
    path = join(await realpath(folder), name);
    if (!(await lstat(path)).isFile()) return refuse('SCRIPT_NOT_FOUND', 'is not a regular file');
  } catch {
    return refuse('SCRIPT_NOT_FOUND', 'does not exist');
  }
  try {
    await access(path, constants.X_OK);
  } catch {
    return refuse('SCRIPT_NOT_RUNNABLE', 'is not an executable file');
  }
  if (await isProgram(path)) return { ok: true, value: path };
  return refuse('SCRIPT_NOT_RUNNABLE', 'is neither a program nor a file with a first line such as #!/bin/sh');
}

/** To start a file takes execvp(3), which hands to a shell what the kernel does not know, be it empty. */
async function isProgram(path: string): Promise<boolean> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const beginning = buffer.toString('latin1', 0, bytesRead);
    return PROGRAM_BEGINNINGS.some((each) => beginning.startsWith(each));
  } catch {
    // It has gone, or may be executed and not read, as only a program can be.
    return true;
  }
}

/** The files of the folder, by name, and links too, for somebody may take them for scripts. */
export async function listScripts(folder: string): Promise<Reply<readonly ScriptFile[]>> {
  const refuse = (why: string): Reply<never> => {
    const detail = `The scripts folder ${folder} cannot be read: ${why}.`;
    return { ok: false, fault: { code: 'SCRIPT_NOT_FOUND', effect: 'none', retryable: false, detail } };
  };
  try {
    const read = (): Promise<Dirent[]> => readdir(folder, { withFileTypes: true });
    const entries = await answerInTime(`folder ${folder}`, read, ANSWER_MS);
    if (entries === null) return refuse(`it did not answer within ${ANSWER_MS / 1000} seconds`);
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    return { ok: true, value: await Promise.all(names.toSorted().map((name) => describeFile(folder, name))) };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function describeFile(folder: string, name: string): Promise<ScriptFile> {
  const found = await findScript(folder, name);
  const sizeBytes = await lstat(join(folder, name)).then(
    ({ size }) => size,
    () => 0,
  );
  return { name, sizeBytes, problem: found.ok ? null : found.fault };
}
