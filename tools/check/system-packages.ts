import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { projectFolder } from './folders.ts';
import { runCommand } from './run-command.ts';

/** Commands that some tests need and npm cannot bring, each with the Debian package it comes from. */
export const systemCommands: Readonly<Record<string, string>> = {
  curl: 'curl',
  fusermount3: 'fuse3',
  mount: 'mount',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  sshfs: 'sshfs',
  unshare: 'util-linux',
};

/** The path of a command, also where only root usually looks (`sshd`); undefined when it is not installed. */
export function findCommand(command: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

/** The path of a command that a test cannot do without; throws a sentence saying which package to install. */
export function demandCommand(command: string): string {
  const path = findCommand(command);
  if (path === undefined) {
    throw new Error(
      `This test needs "${command}": install the Debian package ${systemCommands[command] ?? command}.`,
    );
  }
  return path;
}

/** Installs what is missing where that is allowed (root, or sudo without a password); says what is missing otherwise. */
export async function provideSystemPackages(): Promise<string[]> {
  const missing = listMissing();
  if (missing.length === 0) return [];
  const hadServer = findCommand('sshd') !== undefined;
  const log: string[] = [];
  const prefix = await findAuthority();
  if (prefix === undefined) log.push('Neither root nor sudo without a password: nothing was installed.');
  else {
    log.push(await runAsRoot(prefix, ['apt-get', 'update', '--quiet']));
    log.push(
      await runAsRoot(prefix, [
        'apt-get',
        'install',
        '--quiet',
        '--yes',
        '--no-install-recommends',
        ...missing,
      ]),
    );
    if (!hadServer) await stopServer(prefix);
  }
  const left = listMissing();
  if (left.length === 0) return [];
  return [...log, `Tests need the Debian packages ${left.join(', ')}: apt-get install ${left.join(' ')}`];
}

function listMissing(): string[] {
  const missing = Object.entries(systemCommands).filter(([command]) => findCommand(command) === undefined);
  return [...new Set(missing.map(([, name]) => name))];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What to put before a command so that it runs as root: nothing, or sudo. */
async function findAuthority(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const sudo = findCommand('sudo');
  if (sudo === undefined) return undefined;
  const allowed = await runCommand(sudo, ['-n', 'true'], { folder: projectFolder, timeoutMs: 10_000 });
  return allowed.exitCode === 0 ? [sudo, '-n'] : undefined;
}

async function runAsRoot(prefix: readonly string[], command: readonly string[]): Promise<string> {
  const [first, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...command] as [
    string,
    ...string[],
  ];
  const options = { folder: projectFolder, timeoutMs: 8 * 60_000 };
  return (await runCommand(first, rest, options)).output;
}

/** The tests start their own sshd on loopback; installing the package must not open this machine to the network. */
async function stopServer(prefix: readonly string[]): Promise<void> {
  if (!existsSync('/run/systemd/system')) return;
  await runAsRoot(prefix, ['systemctl', 'disable', '--now', 'ssh.service', 'ssh.socket']);
}
