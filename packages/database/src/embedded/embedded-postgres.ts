import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError, databaseFailure } from '../database-error.ts';
import type { DatabaseEvent } from '../database-event.ts';
import { acquireDataDirectoryLock, type DataDirectoryLock } from './data-directory-lock.ts';
import {
  embeddedLayout,
  inDataDirectory,
  makeEmbeddedFolders,
  makePrivateFolder,
} from './embedded-layout.ts';
import { ensureEmbeddedDatabase } from './ensure-embedded-database.ts';
import { findRunningPostmaster } from './find-running-postmaster.ts';
import { initialiseCluster } from './initialise-cluster.ts';
import { checkOtherUserMayPass, choosePostgresAccount } from './postgres-account.ts';
import { findPostgresBinaries, linkPostgresLibraries, readBinariesVersion } from './postgres-binaries.ts';
import { rotatePostgresLog } from './postgres-log.ts';
import { type Postmaster, type PostmasterPlan, startPostmaster, stopPostmaster } from './postmaster.ts';
import { makeSocketFolder, removeRecordedFolder } from './socket-folder.ts';

/** A running embedded server that is restarted when it dies. */
export type EmbeddedPostgres = {
  /** The folder of its Unix socket; the same over all restarts. */
  readonly socketFolder: string;
  /** The process number of the present server. */
  pid(): number;
  /** Stops the server, started or adopted, and gives the data directory free. */
  close(): Promise<void>;
};

/** What only tests and tools change. */
export type EmbeddedOptions = {
  readonly onEvent?: (event: DatabaseEvent) => void;
  readonly unshareCommand?: string;
  readonly extraSettings?: Readonly<Record<string, string>>;
};

const startRetriesAfterMs = [200, 1000];
const firstBackOffMs = 100;
const longestBackOffMs = 10_000;
/** A server that lived this long is taken to be well again. */
const stableAfterMs = 60_000;
const logCheckMs = 600_000;

/**
 * Opens the embedded server of a data directory: makes the cluster on first use, adopts the server a killed program
 * left behind, else starts one. Throws `DatabaseError` with a code of the catalogue and then leaves nothing running.
 */
export async function openEmbeddedPostgres(
  dataDirectory: string,
  options: EmbeddedOptions = {},
): Promise<EmbeddedPostgres> {
  const startedAt = performance.now();
  const layout = embeddedLayout(dataDirectory);
  const binaries = findPostgresBinaries();
  const account = await choosePostgresAccount({
    clusterFolder: layout.clusterFolder,
    unshareCommand: options.unshareCommand ?? 'unshare',
  });
  checkOtherUserMayPass(account, binaries.nativeFolder, 'EMBEDDED_POSTGRES_NOT_AVAILABLE');
  makeEmbeddedFolders(layout, dataDirectory, account);
  const lock = inDataDirectory(layout, () => acquireDataDirectoryLock(layout.lockPath));
  try {
    inDataDirectory(layout, () => {
      makePrivateFolder(layout.linkFolder, account);
      linkPostgresLibraries(binaries, layout.linkFolder);
    });
    const version = await readBinariesVersion(binaries, layout.linkFolder);
    const { extraSettings = {}, onEvent = () => undefined } = options;
    await initialiseCluster(layout, account, binaries, version, extraSettings.fsync !== 'off');
    const plan = { layout, account, binaries, extraSettings };
    const postmaster = await adoptOrStart(plan, version);
    await ensureEmbeddedDatabase(postmaster.socketFolder).catch(async (error) => {
      await stopPostmaster(postmaster);
      throw error;
    });
    const { identity, isAdopted, socketFolder } = postmaster;
    const durationMs = performance.now() - startedAt;
    onEvent({ kind: 'postgresStarted', pid: identity.pid, durationMs, isAdopted });
    return new Supervisor({ ...plan, socketFolder }, postmaster, lock, onEvent);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Keeps one server running until it is closed. */
class Supervisor implements EmbeddedPostgres {
  readonly socketFolder: string;
  readonly #plan: PostmasterPlan;
  readonly #lock: DataDirectoryLock;
  readonly #onEvent: (event: DatabaseEvent) => void;
  readonly #logTimer: NodeJS.Timeout;
  readonly #closing = new AbortController();
  readonly #watch: Promise<void>;
  #closed: Promise<void> | undefined;
  #postmaster: Postmaster;

  constructor(
    plan: PostmasterPlan,
    postmaster: Postmaster,
    lock: DataDirectoryLock,
    onEvent: (event: DatabaseEvent) => void,
  ) {
    this.#plan = plan;
    this.#postmaster = postmaster;
    this.#lock = lock;
    this.#onEvent = onEvent;
    this.socketFolder = plan.socketFolder;
    this.#logTimer = setInterval(() => rotateQuietly(plan.layout.logPath), logCheckMs).unref();
    this.#watch = this.#keepRunning();
  }

  pid(): number {
    return this.#postmaster.identity.pid;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#logTimer);
    this.#closing.abort();
    try {
      await stopPostmaster(this.#postmaster);
      await this.#watch;
      // A restart that was under way when we were closed has made a new one.
      await stopPostmaster(this.#postmaster);
      removeRecordedFolder(this.#plan.layout);
    } finally {
      this.#lock.release();
    }
  }

  async #keepRunning(): Promise<void> {
    let backOffMs = 0;
    for (;;) {
      const upSince = performance.now();
      const how = await this.#postmaster.exited;
      if (this.#closing.signal.aborted) return;
      const diedAt = performance.now();
      this.#onEvent({ kind: 'postgresDied', pid: this.pid(), detail: how });
      if (diedAt - upSince > stableAfterMs) backOffMs = 0;
      backOffMs = await this.#restart(backOffMs);
      if (this.#closing.signal.aborted) return;
      const { identity, isAdopted } = this.#postmaster;
      const downForMs = performance.now() - diedAt;
      this.#onEvent({ kind: 'postgresRestarted', pid: identity.pid, downForMs, isAdopted });
    }
  }

  /** Tries until the server runs or we are closed; returns the pause before the next try. */
  async #restart(firstPauseMs: number): Promise<number> {
    let pauseMs = firstPauseMs;
    while (!this.#closing.signal.aborted) {
      try {
        if (pauseMs > 0) await delay(pauseMs, undefined, { signal: this.#closing.signal });
        pauseMs = Math.min(longestBackOffMs, Math.max(firstBackOffMs, pauseMs * 2));
        this.#postmaster = await restartInSameFolder(this.#plan);
        break;
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        const { fault } = asDatabaseError(error);
        this.#onEvent({ kind: 'postgresRestartFailed', fault, retryInMs: pauseMs });
      }
    }
    return pauseMs;
  }
}

async function adoptOrStart(
  plan: Omit<PostmasterPlan, 'socketFolder'>,
  version: string,
): Promise<Postmaster> {
  for (let attempt = 0; ; attempt += 1) {
    const running = await findRunningPostmaster(plan.layout);
    if (running?.version === version) return running.postmaster;
    // After an update of the program the server left behind is of the version before.
    if (running !== undefined) await stopPostmaster(running.postmaster);
    try {
      const socketFolder = inDataDirectory(plan.layout, () => makeSocketFolder(plan.layout, plan.account));
      return await startPostmaster({ ...plan, socketFolder });
    } catch (error) {
      const pauseMs = startRetriesAfterMs[attempt];
      const isTransient = error instanceof DatabaseError && error.fault.retryable;
      if (pauseMs === undefined || !isTransient) {
        removeRecordedFolder(plan.layout);
        throw error;
      }
      // The last children of a killed server may still hold its memory, or its starter died before we could see it.
      await delay(pauseMs);
    }
  }
}

/** The pool knows only one socket: what is found or started must be reached by it. */
async function restartInSameFolder(plan: PostmasterPlan): Promise<Postmaster> {
  const running = await findRunningPostmaster(plan.layout);
  if (running?.postmaster.socketFolder === plan.socketFolder) return running.postmaster;
  if (running !== undefined) await stopPostmaster(running.postmaster);
  makePrivateFolder(plan.socketFolder, plan.account);
  return startPostmaster(plan);
}

/** A log that cannot be rotated, on a full disk for instance, must not end the program. */
function rotateQuietly(logPath: string): void {
  try {
    rotatePostgresLog(logPath);
  } catch {
    // It is tried again at the next check and at the next start.
  }
}

function asDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  return databaseFailure(
    'EMBEDDED_POSTGRES_FAILED',
    `PostgreSQL was not restarted: ${(error as Error).message}.`,
    error,
  );
}
