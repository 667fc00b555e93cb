import { realpathSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { databaseFailure, databaseRefusal } from '../database-error.ts';
import { embeddedClient } from './embedded-client.ts';
import type { EmbeddedLayout } from './embedded-layout.ts';
import { isSamePath, isServerOfCluster } from './is-server-of-cluster.ts';
import { tailPostgresLog } from './postgres-log.ts';
import { adoptedPostmaster, type Postmaster } from './postmaster.ts';
import { type PostmasterFile, readPostmasterFile } from './postmaster-file.ts';
import { isProcessAlive, processIdentity } from './process-identity.ts';
import { socketPath } from './socket-folder.ts';

const settleLimitMs = 120_000;
const lookAgainMs = 20;

/** A server found running, and its version, such as `18.4`. */
export type RunningPostmaster = { readonly postmaster: Postmaster; readonly version: string };

/**
 * Finds the server that a killed program left running on this cluster. Undefined when there is none. Fails closed, with
 * DATA_DIRECTORY_IN_USE or EMBEDDED_POSTGRES_FAILED, when something runs that cannot be shown to be that server.
 */
export async function findRunningPostmaster(layout: EmbeddedLayout): Promise<RunningPostmaster | undefined> {
  const giveUpAt = performance.now() + settleLimitMs;
  for (;;) {
    const file = readPostmasterFile(layout.clusterFolder);
    if (file === undefined) return undefined;
    const identity = processIdentity(file.pid);
    if (identity === undefined || !isServerOfCluster(file.pid, layout.clusterFolder)) {
      await refuseUnseenServer(file);
      // A zombie, or a stranger that was given the same number, would make PostgreSQL believe itself running.
      rmSync(join(layout.clusterFolder, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (file.status === 'ready') {
      const version = await askVersion(layout, file);
      if (version !== undefined && isProcessAlive(identity)) {
        return { postmaster: adoptedPostmaster(identity, file.socketFolder), version };
      }
    }
    if (performance.now() > giveUpAt) {
      throw databaseFailure(
        'EMBEDDED_POSTGRES_FAILED',
        `Process ${file.pid} has been "${file.status}" for ${settleLimitMs / 1000} s. ` +
          `${layout.logPath} ends with:\n${tailPostgresLog(layout.logPath)}`,
      );
    }
    // It is starting or stopping: either way it soon is something definite.
    await delay(lookAgainMs);
  }
}

/** A server in another container shares the folder but not our process numbers: only its socket tells. */
async function refuseUnseenServer(file: PostmasterFile): Promise<void> {
  if (file.socketFolder === '' || !(await isAnswering(socketPath(file.socketFolder)))) return;
  throw databaseRefusal(
    'DATA_DIRECTORY_IN_USE',
    `A PostgreSQL answers at ${file.socketFolder}, but its process ${file.pid} is not visible from here; ` +
      'perhaps it runs in another container.',
  );
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The version of the server that works on our cluster; undefined when it ended while we asked. */
async function askVersion(layout: EmbeddedLayout, file: PostmasterFile): Promise<string | undefined> {
  const answer = await askServer(file);
  if (answer === undefined) return undefined;
  if (isSamePath(answer.folder, realpathSync(layout.clusterFolder))) return answer.version;
  throw databaseRefusal(
    'DATA_DIRECTORY_IN_USE',
    `The server at ${file.socketFolder} works on ${answer.folder}, not on ${layout.clusterFolder}.`,
  );
}

async function askServer(file: PostmasterFile): Promise<{ folder: string; version: string } | undefined> {
  const client = embeddedClient(file.socketFolder, 'postgres');
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; version: string }>(
      `select current_setting('data_directory') as folder, current_setting('server_version') as version`,
    );
    return rows[0];
  } catch (error) {
    if (processIdentity(file.pid) === undefined) return undefined;
    throw databaseFailure(
      'EMBEDDED_POSTGRES_FAILED',
      `The server left running, process ${file.pid}, does not answer at ${file.socketFolder}: ${(error as Error).message}.`,
      error,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
