import { randomUUIDv7 } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { problemCatalogue } from '@stillpoint/contract';
import {
  coreCatalogue,
  type Parameters,
  parametersInForce,
  reasonOf,
  type TaskCommand,
} from '@stillpoint/core';
import { acquireDataDirectoryLock, type Database, openDatabase } from '@stillpoint/database';
import { datapowerCatalogue } from '@stillpoint/datapower';
import { Engine, type EngineTables } from '@stillpoint/engine';
import { storeCatalogue } from '@stillpoint/store';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { Appliances } from './adapters/appliances.ts';
import { ConfiguredStore } from './adapters/configured-store.ts';
import { StoredDefinitions } from './adapters/definitions.ts';
import { LiveFleet } from './adapters/live-fleet.ts';
import { Planner } from './adapters/planner.ts';
import { QueuedRuns } from './adapters/queued-runs.ts';
import { RunPerformer } from './adapters/run-performer.ts';
import { RUN_PROGRAM, runProgram } from './adapters/run-program.ts';
import { scriptCatalogue } from './adapters/script-catalogue.ts';
import { ScriptDesk } from './adapters/script-desk.ts';
import { StoredGuards } from './adapters/stored-guards.ts';
import { StoredHistory } from './adapters/stored-history.ts';
import type { Tables } from './adapters/tables.ts';
import { taskCatalogue } from './adapters/task-catalogue.ts';
import { TaskPerformer } from './adapters/task-performer.ts';
import { TASK_PROGRAM, taskProgram } from './adapters/task-program.ts';
import { createApplication } from './app/create-application.ts';
import { announce, type DataDirectory, openDataDirectory, withdraw } from './data-directory.ts';
import { createHttpServer } from './http/create-http-server.ts';
import { moverCatalogue } from './movers/mover-catalogue.ts';
import { openMoverPool } from './movers/mover-pool.ts';
import { Reconciler } from './programs/reconciler.ts';
import { remediesOf } from './remedies-of.ts';
import { repeat } from './repeat.ts';
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

/** No download waits for another: processes for them are started when they are needed, as many as devices at once. */
const MOVERS = 500;

/**
 * The composition root: opens the database, hosts the programs, serves the API. Throws `DatabaseError`, and what
 * listening throws, and then leaves nothing running.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const closers: Closer[] = [];
  try {
    return await compose(options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** Ends one part; the parts are ended in the reverse of the order in which they were opened. */
type Closer = () => Promise<void>;

async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

async function compose(options: ServerOptions, closers: Closer[]): Promise<RunningServer> {
  const { dataDirectory, databaseUrl, logger } = options;
  const data = await openDataDirectory(dataDirectory, options.environment);
  if (databaseUrl !== null) {
    // The embedded database locks the data directory itself; two servers of one node id would undo each other's work.
    const lock = acquireDataDirectoryLock(join(data.path, 'server.lock'));
    closers.push(async () => lock.release());
  }
  const target = databaseUrl === null ? { dataDirectory } : { url: databaseUrl };
  const database = await openDatabase<Tables>(target, {
    onEvent: (event) => logger.warn({ event }, 'database'),
  });
  closers.push(() => database.close());
  await database.migrate();
  const world = await openWorld(database.kysely, data, closers);
  const engine = await startEngine(world, database, data, logger, closers);
  startReconciler(world, data, logger, closers);
  const runs = new QueuedRuns(world.db, engine);
  startPlanner(world, runs, engine, logger, closers);
  const application = createApplication({
    definitions: world.definitions,
    fleet: world.fleet,
    store: world.store,
    history: new StoredHistory(world.db, remedyOf),
    runs,
    now: Date.now,
    newRunId: randomUUIDv7,
    hostTimezone: world.hostTimezone,
    remedyOf,
  });
  const http = createHttpServer(application, { token: data.token, logger, version });
  closers.push(() => http.close());
  await http.listen({ host: options.host, port: options.port });
  const url = urlOf(http.server.address() as AddressInfo);
  await announce(dataDirectory, url);
  closers.push(() => withdraw(dataDirectory));
  return {
    url,
    async stop(undoMs) {
      engine.drain();
      await undoGoingTasks(engine, undoMs);
      await closeAll(closers);
    },
  };
}

/** What the programs reach the world through. */
type World = Awaited<ReturnType<typeof openWorld>>;

async function openWorld(db: Kysely<Tables>, data: DataDirectory, closers: Closer[]) {
  const hostTimezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const definitions = new StoredDefinitions(db, data.secretKey);
  const inForce = { devicesParallel: 0 };
  const parameters = async (): Promise<Parameters> => {
    const values = parametersInForce(await definitions.parameterValues());
    inForce.devicesParallel = values['devices.parallel'];
    return values;
  };
  await parameters();
  const appliances = new Appliances(definitions);
  closers.push(() => appliances.close());
  const movers = openMoverPool({ size: MOVERS });
  closers.push(() => movers.close());
  const store = new ConfiguredStore(db, movers);
  const fleet = new LiveFleet(appliances, Date.now);
  const scripts = new ScriptDesk(db, parameters, data.scriptsFolder);
  const tools = { db, appliances, movers, store, scripts, parameters, now: Date.now, hostTimezone, version };
  const tasks = new TaskPerformer(tools);
  return { ...tools, definitions, fleet, tasks, devicesParallel: () => inForce.devicesParallel };
}

async function startEngine(
  world: World,
  database: Database<Tables>,
  data: DataDirectory,
  logger: Logger,
  closers: Closer[],
): Promise<Engine> {
  const runs = new RunPerformer({ ...world, engine: () => engine });
  const engine: Engine = new Engine({
    // Kysely's type says which tables may be named; the engine names its own, which are among them.
    db: database.kysely as unknown as Kysely<EngineTables>,
    connection: database.connectionOptions,
    nodeId: data.nodeId,
    programs: [
      { program: runProgram(runs), parallel: () => RUNS_AT_ONCE },
      { program: taskProgram(world.tasks), parallel: world.devicesParallel },
    ],
  });
  listenTo(engine, logger);
  closers.push(() => engine.stop());
  await engine.start();
  return engine;
}

function startReconciler(world: World, data: DataDirectory, logger: Logger, closers: Closer[]): void {
  const reconciler = new Reconciler({
    guards: new StoredGuards(world.db),
    appliances: world.appliances,
    settleMs: async () => (await world.parameters())['quiesce.settleSeconds'] * 1000,
    nodeId: data.nodeId,
    now: Date.now,
  });
  const onProblem = (error: unknown): void => logger.error({ err: error }, 'reconciling failed');
  const loop = repeat((signal) => reconciler.reconcile(signal), RECONCILER_PAUSE_MS, onProblem);
  closers.push(() => loop.stop());
}

/** A gateway that an ended task left quiesced is tried again after this long. */
const RECONCILER_PAUSE_MS = 5_000;

/** Looks every second, so that a run starts within a second of its fire. */
const PLANNER_PAUSE_MS = 1_000;

function startPlanner(
  world: World,
  runs: QueuedRuns,
  engine: Engine,
  logger: Logger,
  closers: Closer[],
): void {
  const planner = new Planner({ ...world, queueIn: runs.queueIn.bind(runs), newRunId: randomUUIDv7 });
  const look = async (): Promise<void> => {
    if (await planner.startDueRuns()) engine.lookForWork();
  };
  const onProblem = (error: unknown): void => logger.error({ err: error }, 'planning failed');
  const loop = repeat(look, PLANNER_PAUSE_MS, onProblem);
  closers.push(() => loop.stop());
}

/** What an operator does next when something ended with a code; empty for a code that no catalogue has. */
const remedyOf = remediesOf([
  problemCatalogue,
  datapowerCatalogue,
  storeCatalogue,
  moverCatalogue,
  scriptCatalogue,
  taskCatalogue,
  coreCatalogue,
]);

function urlOf({ family, address, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
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
