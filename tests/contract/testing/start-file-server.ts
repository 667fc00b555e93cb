import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { demandCommand } from '../../../tools/check/system-packages.ts';

/** An sshd of our own on loopback, which lets only this user in, only by a key made for it, and only to files. */
export interface FileServer {
  /** What sshfs is given: `USER@127.0.0.1:FOLDER`. */
  readonly source: string;
  /** The configuration of ssh that finds the server and logs in. */
  readonly clientConfig: string;
  /** What the server has said so far; tells why it let nobody in. */
  log(): string;
}

const tries = 10;

/**
 * Starts a server that serves `served`; all its own files lie in `folder`. It ends with the guard of that folder.
 * Rejects with a sentence when a Debian package is missing or the server does not start.
 */
export async function startFileServer(folder: string, served: string): Promise<FileServer> {
  const program = demandCommand('sshd');
  // Debian makes the folder when it starts its own server; without it, root's sshd refuses to start.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const hostKey = makeKey(folder, 'host-key');
  makeKey(folder, 'user-key');
  const username = userInfo().username;
  let said = '';
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const port = await findFreePort();
    const config = join(folder, 'sshd-config');
    writeFileSync(config, serverConfig(folder, port, username));
    const server = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    said = await listening(server);
    if (server.exitCode === null && server.signalCode === null) {
      server.stderr?.on('data', (text) => {
        said += text;
      });
      const clientConfig = join(folder, 'ssh-config');
      writeFileSync(clientConfig, configOfClient(folder, port));
      writeFileSync(join(folder, 'known-hosts'), `[127.0.0.1]:${port} ${hostKey}`);
      return { source: `${username}@127.0.0.1:${served}`, clientConfig, log: () => said };
    }
    // Somebody else may have taken the port since it was found free.
    if (!said.includes('Address already in use')) break;
  }
  throw new Error(`The sshd of this test did not start:\n${said}`);
}

/** Makes a key pair without a passphrase; the public half. */
function makeKey(folder: string, name: string): string {
  const args = ['-q', '-t', 'ed25519', '-N', '', '-C', 'stillpoint-test', '-f', join(folder, name)];
  execFileSync(demandCommand('ssh-keygen'), args, { stdio: 'pipe' });
  return readFileSync(join(folder, `${name}.pub`), 'utf8');
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** What the server said until it listened, or until it ended. */
function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.once('error', reject);
    server.once('close', () => resolve(said));
    server.stderr?.on('data', (text) => {
      said += text;
      if (said.includes('Server listening on')) resolve(said);
    });
  });
}

function serverConfig(folder: string, port: number, username: string): string {
  return `
ListenAddress 127.0.0.1
Port ${port}
PidFile "${folder}/sshd.pid"
HostKey "${folder}/host-key"
AuthorizedKeysFile "${folder}/user-key.pub"
AuthenticationMethods publickey
AllowUsers ${username}
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
DisableForwarding yes
Subsystem sftp internal-sftp
ForceCommand internal-sftp
`;
}

function configOfClient(folder: string, port: number): string {
  return `
Host *
  Port ${port}
  IdentityFile "${folder}/user-key"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${folder}/known-hosts"
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  BatchMode yes
`;
}
