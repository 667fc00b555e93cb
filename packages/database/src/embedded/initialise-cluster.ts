import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { databaseFailure, databaseRefusal } from '../database-error.ts';
import type { EmbeddedLayout } from './embedded-layout.ts';
import { commandUnderAccount, type PostgresAccount } from './postgres-account.ts';
import { type PostgresBinaries, postgresEnvironment } from './postgres-binaries.ts';
import { embeddedLogin } from './postgres-settings.ts';

const run = promisify(execFile);

/**
 * Makes the cluster when there is none. It is made beside its place and renamed into it, so that a cluster is whole or
 * absent; what an interrupted attempt left is removed. `version` is that of the binaries, such as `18.4`; only a
 * throw-away cluster is not durable.
 */
export async function initialiseCluster(
  layout: EmbeddedLayout,
  account: PostgresAccount,
  binaries: PostgresBinaries,
  version: string,
  isDurable: boolean,
): Promise<void> {
  removeUnfinished(layout);
  if (existsSync(layout.clusterFolder)) return checkClusterVersion(layout, version);
  // A new name each time: an initdb that outlived its program cannot write into the cluster of its successor.
  const draftFolder = `${layout.clusterFolder}.draft-${process.pid}-${Date.now()}`;
  const command = commandUnderAccount(account, binaries.initdb, [
    '--pgdata',
    draftFolder,
    `--username=${embeddedLogin.user}`,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    '--no-instructions',
    ...(isDurable ? [] : ['--no-sync']),
  ]);
  try {
    await run(command.file, command.args, {
      ...command.owner,
      cwd: layout.folder,
      env: postgresEnvironment(binaries, layout.linkFolder),
      timeout: 120_000,
    });
  } catch (error) {
    rmSync(draftFolder, { recursive: true, force: true });
    const { stderr, message } = error as Error & { stderr?: string };
    throw databaseFailure('EMBEDDED_POSTGRES_FAILED', `initdb: ${(stderr ?? '').trim() || message}`, error);
  }
  // Only the socket in its 0700 folder lets anybody in.
  writeFileSync(join(draftFolder, 'pg_hba.conf'), 'local all all trust\n', { flush: true });
  renameSync(draftFolder, layout.clusterFolder);
  syncFolder(layout.folder);
}

function removeUnfinished(layout: EmbeddedLayout): void {
  for (const name of readdirSync(layout.folder)) {
    if (name.startsWith('cluster.draft-'))
      rmSync(join(layout.folder, name), { recursive: true, force: true });
  }
}

function checkClusterVersion(layout: EmbeddedLayout, version: string): void {
  const clusterMajor = readFileSync(join(layout.clusterFolder, 'PG_VERSION'), 'utf8').trim();
  const programMajor = version.split('.')[0];
  if (clusterMajor === programMajor) return;
  throw databaseRefusal(
    'DATA_DIRECTORY_OTHER_VERSION',
    `${layout.clusterFolder} was made by PostgreSQL ${clusterMajor}; this program carries ${version}.`,
  );
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
