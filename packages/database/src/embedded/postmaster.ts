import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { databaseFailure } from '../database-error.ts';
import type { EmbeddedLayout } from './embedded-layout.ts';
import { commandUnderAccount, type PostgresAccount } from './postgres-account.ts';
import { type PostgresBinaries, postgresEnvironment } from './postgres-binaries.ts';
import { rotatePostgresLog, tailPostgresLog } from './postgres-log.ts';
import { postgresArguments } from './postgres-settings.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { isProcessAlive, type ProcessIdentity, processIdentity } from './process-identity.ts';
import { removeStaleSocket } from './socket-folder.ts';

/** A server process; `exited` resolves with how it ended, whoever ended it. */
export type Postmaster = {
  readonly identity: ProcessIdentity;
  readonly socketFolder: string;
  readonly isAdopted: boolean;
  readonly exited: Promise<string>;
};

/** What a server is started with. */
export type PostmasterPlan = {
  readonly layout: EmbeddedLayout;
  readonly account: PostgresAccount;
  readonly binaries: PostgresBinaries;
  readonly socketFolder: string;
  readonly extraSettings: Readonly<Record<string, string>>;
};

const lookAgainMs = 5;
const adoptedLookAgainMs = 50;
/** Crash recovery replays at most `max_wal_size`; a slow disk needs its time for that. */
const startLimitMs = 120_000;
const stopSteps = [
  { signal: 'SIGINT', limitMs: 20_000 },
  { signal: 'SIGQUIT', limitMs: 10_000 },
  { signal: 'SIGKILL', limitMs: 10_000 },
] as const;

/** Starts a server and waits until it takes connections, or throws EMBEDDED_POSTGRES_FAILED with the tail of its log. */
export async function startPostmaster(plan: PostmasterPlan): Promise<Postmaster> {
  const { layout } = plan;
  rotatePostgresLog(layout.logPath);
  removeStaleSocket(layout, plan.socketFolder);
  const { pid, exited } = spawnPostmaster(plan);
  let ended: string | undefined;
  void exited.then((how) => {
    ended = how;
  });
  const identity = pid === undefined ? undefined : processIdentity(pid);
  const giveUpAt = performance.now() + startLimitMs;
  while (ended === undefined && identity !== undefined) {
    const file = readPostmasterFile(layout.clusterFolder);
    if (file?.pid === pid && file?.status === 'ready') {
      return { identity, socketFolder: plan.socketFolder, isAdopted: false, exited };
    }
    if (performance.now() > giveUpAt) {
      await stopPostmaster({ identity, socketFolder: plan.socketFolder, isAdopted: false, exited });
      ended = `it was not ready within ${startLimitMs / 1000} s`;
      break;
    }
    await delay(lookAgainMs);
  }
  const how = ended ?? (await exited);
  throw databaseFailure(
    'EMBEDDED_POSTGRES_FAILED',
    `PostgreSQL did not start: ${how}. ${layout.logPath} ends with:\n${tailPostgresLog(layout.logPath)}`,
  );
}

/** Watches a server that is not our child. */
export function adoptedPostmaster(identity: ProcessIdentity, socketFolder: string): Postmaster {
  const exited = (async () => {
    // Like a child of ours it keeps this process: whoever closes the database waits for this, maybe with nothing else open.
    while (isProcessAlive(identity)) await delay(adoptedLookAgainMs);
    return 'the adopted process is gone';
  })();
  return { identity, socketFolder, isAdopted: true, exited };
}

/** Stops a server: first orderly, breaking off what is under way (fast shutdown), then ever harder. */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  for (const { signal, limitMs } of stopSteps) {
    if (!isProcessAlive(postmaster.identity)) return;
    signalProcess(postmaster.identity.pid, signal);
    if (await isGoneWithin(postmaster.identity, limitMs)) {
      if (!postmaster.isAdopted) await postmaster.exited;
      return;
    }
  }
  throw databaseFailure(
    'EMBEDDED_POSTGRES_FAILED',
    `PostgreSQL, process ${postmaster.identity.pid}, does not end even when killed.`,
  );
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended between our look and our call.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isGoneWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + limitMs;
  while (isProcessAlive(identity)) {
    if (performance.now() > giveUpAt) return false;
    await delay(lookAgainMs);
  }
  return true;
}

function spawnPostmaster(plan: PostmasterPlan): { pid: number | undefined; exited: Promise<string> } {
  const { layout, account, binaries } = plan;
  const args = postgresArguments(layout.clusterFolder, plan.socketFolder, plan.extraSettings);
  const command = commandUnderAccount(account, binaries.postgres, args);
  const log = openSync(layout.logPath, 'a', 0o600);
  try {
    const child = spawn(command.file, command.args, {
      ...command.owner,
      cwd: layout.folder,
      env: postgresEnvironment(binaries, layout.linkFolder),
      stdio: ['ignore', log, log],
      // A session of its own: Ctrl-C in our terminal must not stop the database before our own shutdown is done.
      detached: true,
    });
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
    return { pid: child.pid, exited };
  } finally {
    closeSync(log);
  }
}
