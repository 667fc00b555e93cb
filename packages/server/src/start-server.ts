import { randomUUIDv7 } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type Parameters, parametersInForce, reasonOf, type TaskCommand } from '@stillpoint/core';
import { openDatabase } from '@stillpoint/database';
import { Engine, type QueueConnection } from '@stillpoint/engine';
import type { Logger } from 'pino';
import { Appliances } from './adapters/appliances.ts';
import { ConfiguredStore } from './adapters/configured-store.ts';
import { StoredDefinitions } from './adapters/definitions.ts';
import { LiveFleet } from './adapters/live-fleet.ts';
import { QueuedRuns } from './adapters/queued-runs.ts';
import { Reconciler } from './adapters/reconciler.ts';
import { RunPerformer } from './adapters/run-performer.ts';
import { RUN_PROGRAM, runProgram } from './adapters/run-program.ts';
import { ScriptDesk } from './adapters/script-desk.ts';
import { StoredHistory } from './adapters/stored-history.ts';
import type { Tables } from './adapters/tables.ts';
import { TaskPerformer } from './adapters/task-performer.ts';
import { TASK_PROGRAM, taskProgram } from './adapters/task-program.ts';
import { createApplication } from './app/create-application.ts';
import { announce, openDataDirectory, withdraw } from './data-directory.ts';
import { createHttpServer } from './http/create-http-server.ts';
import { openMoverPool } from './movers/mover-pool.ts';
import { remedyOf } from './remedy-of.ts';
import { version } from './version.ts';

/** How a server is started. */
export type ServerOptions = {
  readonly dataDirectory: string;
  /** An external PostgreSQL; null for the embedded one in the data directory. */
  readonly databaseUrl: string | null;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly logger: Logger;
  readonly environment: NodeJS.ProcessEnv;
};

/** A server that serves. */
export type RunningServer = {
  readonly url: string;
  /** Lets going tasks undo what they did, for `undoMs` at most, and ends everything; what is left is taken over at the next start. */
  stop(undoMs: number): Promise<void>;
};

/** Runs that may go on at once; their tasks are what takes work. */
const RUNS_AT_ONCE = 200;

/** The composition root: opens the database, hosts the programs, serves the API. Throws `DatabaseError` and what listening throws. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { logger } = options;
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await compose(options, closers, closeAll);
  } catch (error) {
    await closeAll();
    logger.error({ err: error }, 'the server could not be started');
    throw error;
  }
}

async function compose(
  options: ServerOptions,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<RunningServer> {
  const { dataDirectory, databaseUrl, logger } = options;
  const data = await openDataDirectory(dataDirectory, options.environment);
  const target = databaseUrl === null ? { dataDirectory } : { url: databaseUrl };
  const database = await openDatabase<Tables>(target, {
    onEvent: (event) => logger.warn({ event }, 'database'),
  });
  closers.push(() => database.close());
  await database.migrate();
  const db = database.kysely;

  const hostTimezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = (): number => Date.now();
  const definitions = new StoredDefinitions(db, data.secretKey);
  let devicesParallel = parametersInForce({})['devices.parallel'];
  const parameters = async (): Promise<Parameters> => {
    const values = parametersInForce(await definitions.parameterValues());
    devicesParallel = values['devices.parallel'];
    return values;
  };
  await parameters();

  const appliances = new Appliances(definitions);
  closers.push(() => appliances.close());
  const movers = openMoverPool({ size: Math.min(devicesParallel, 16) });
  closers.push(() => movers.close());
  const store = new ConfiguredStore(db, movers);
  const fleet = new LiveFleet(appliances, now);
  const scripts = new ScriptDesk(db, parameters, data.scriptsFolder);
  const tasks = new TaskPerformer({
    db,
    appliances,
    movers,
    store,
    scripts,
    parameters,
    now,
    hostTimezone,
    version,
  });
  const runs = new RunPerformer({
    db,
    engine: () => engine,
    definitions,
    fleet,
    store,
    scripts,
    parameters,
    now,
    hostTimezone,
  });
  const engine: Engine = new Engine({
    db: db as never,
    connection: database.connectionOptions as QueueConnection,
    nodeId: data.nodeId,
    programs: [
      { program: runProgram(runs), parallel: () => RUNS_AT_ONCE },
      { program: taskProgram(tasks), parallel: () => devicesParallel },
    ],
  });
  listenTo(engine, logger);
  await engine.start();
  closers.push(() => engine.stop());
  const reconciler = new Reconciler({
    db,
    appliances,
    unquiesce: (device, scope) => tasks.unquiesce(device, scope),
    settleMs: async () => (await parameters())['quiesce.settleSeconds'] * 1000,
    nodeId: data.nodeId,
    now,
    onProblem: (error) => logger.error({ err: error }, 'reconciling failed'),
  });
  reconciler.start();
  closers.push(() => reconciler.stop());

  const application = createApplication({
    definitions,
    fleet,
    store,
    history: new StoredHistory(db, remedyOf),
    runs: new QueuedRuns(db, engine),
    now,
    newRunId: () => randomUUIDv7(),
    hostTimezone,
    remedyOf,
  });
  const http = createHttpServer(application, { token: data.token, logger, version });
  await http.listen({ host: options.host, port: options.port });
  closers.push(() => http.close());
  const address = http.server.address() as AddressInfo;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `http://${host}:${address.port}`;
  await announce(dataDirectory, url);
  closers.push(() => withdraw(dataDirectory));
  return {
    url,
    async stop(undoMs) {
      engine.drain();
      await undoGoingTasks(engine, undoMs);
      await closeAll();
    },
  };
}

function listenTo(engine: Engine, logger: Logger): void {
  engine.on('problem', (error) => logger.error({ err: error }, 'the engine met a problem'));
  engine.on('parked', ({ subjectId, program, error }) => {
    logger.error(
      { subjectId, program, err: error },
      'a mistake of ours: its state is unknown, it is tried again later',
    );
  });
  engine.on('ended', ({ subjectId, program, verdict }) => {
    logger.info({ subjectId, program, verdict }, 'ended');
    if (program === TASK_PROGRAM) for (const runId of engine.going(RUN_PROGRAM)) engine.wake(runId);
  });
}

/** What is going on is told to stop, so that no gateway waits quiesced for the next start. */
async function undoGoingTasks(engine: Engine, undoMs: number): Promise<void> {
  const reason = reasonOf('INTERRUPTED', 'The server was stopped.');
  const command: TaskCommand = { type: 'cancel', status: 'FAILED', sparesStarted: false, reason };
  const left = new Set(engine.going(TASK_PROGRAM));
  if (left.size === 0) return;
  await new Promise<void>((resolve) => {
    const onEnded = ({ subjectId }: { subjectId: string }): void => {
      left.delete(subjectId);
      if (left.size === 0) finish();
    };
    const finish = (): void => {
      clearTimeout(timer);
      engine.off('ended', onEnded);
      resolve();
    };
    const timer = setTimeout(finish, undoMs);
    engine.on('ended', onEnded);
    for (const subjectId of left) {
      engine.tell(subjectId, command).then(
        (isTold) => isTold || onEnded({ subjectId }),
        () => onEnded({ subjectId }),
      );
    }
  });
}
