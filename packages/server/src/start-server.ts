import { randomUUIDv7 } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { problemCatalogue } from '@stillpoint/contract';
import { coreCatalogue } from '@stillpoint/core';
import {
  acquireDataDirectoryLock,
  type ConnectionOptions,
  type Database,
  openDatabase,
} from '@stillpoint/database';
import { datapowerCatalogue } from '@stillpoint/datapower';
import {
  BossQueue,
  type Engine,
  type EngineTables,
  type Journal,
  PostgresJournal,
  type Queue,
  systemClock,
} from '@stillpoint/engine';
import { storeCatalogue } from '@stillpoint/store';
import type { Kysely, Transaction } from 'kysely';
import type { Logger } from 'pino';
import { AlarmWatch } from './adapters/alarm-watch.ts';
import { Appliances } from './adapters/appliances.ts';
import { ConfiguredStore } from './adapters/configured-store.ts';
import { StoredDefinitions } from './adapters/definitions.ts';
import { LiveFleet } from './adapters/live-fleet.ts';
import { lookForAlarms } from './adapters/look-for-alarms.ts';
import { rebuildQueue } from './adapters/rebuild-queue.ts';
import { scriptCatalogue } from './adapters/script-catalogue.ts';
import { ScriptDesk } from './adapters/script-desk.ts';
import { StoredAlarms } from './adapters/stored-alarms.ts';
import { StoredHistory } from './adapters/stored-history.ts';
import { StoredNodes } from './adapters/stored-nodes.ts';
import { storedRecords } from './adapters/stored-records.ts';
import type { Tables } from './adapters/tables.ts';
import { taskCatalogue } from './adapters/task-catalogue.ts';
import { createApplication } from './app/create-application.ts';
import { announce, type DataDirectory, openDataDirectory, withdraw } from './data-directory.ts';
import { createHttpServer } from './http/create-http-server.ts';
import { moverCatalogue } from './movers/mover-catalogue.ts';
import { openMoverPool } from './movers/mover-pool.ts';
import { type ComposedPrograms, composePrograms } from './programs/compose-programs.ts';
import { LatestParameters } from './programs/latest-parameters.ts';
import { remediesOf } from './remedies-of.ts';
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
  /** What operators call this node; the name of the host when it is left out. */
  readonly nodeName?: string | null;
};

/** A server that serves. */
export type RunningServer = {
  readonly url: string;
  /** Resolves, and never rejects, when this server can do no more, with a sentence that says why; it is to be stopped then. */
  readonly failed: Promise<string>;
  /** Lets going tasks undo what they did, for `undoMs` at most, and ends everything; what is left is taken over at the next start. */
  stop(undoMs: number): Promise<void>;
};

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
  await takeUpImport(database, logger);
  const world = await openWorld(database.kysely, data, closers);
  const identity = { id: data.nodeId, hostName: hostname(), version, pid: process.pid };
  const nodes = new StoredNodes(database.kysely, { ...identity, name: options.nodeName ?? null });
  const watch = new AlarmWatch({
    lookForAlarms: (parked) => lookForAlarms(database.kysely, nodes.name, parked),
    clock: systemClock,
    onProblem: (error) => logger.error({ err: error }, 'looking for alarms failed'),
  });
  closers.push(() => watch.stop());
  closers.push(() =>
    nodes.leave().catch((error) => logger.warn({ err: error }, 'nobody was told of the end')),
  );
  const programs = await startPrograms(world, database, nodes, watch, data, logger, closers);
  const placeTaken = Promise.withResolvers<string>();
  let isPlaceTaken = false;
  programs.engine.once('placeTaken', ({ message }) => {
    isPlaceTaken = true;
    placeTaken.resolve(message);
  });
  watch.start();
  const application = createApplication({
    definitions: world.definitions,
    fleet: world.fleet,
    store: world.store,
    history: new StoredHistory(database.kysely, remedyOf),
    runs: programs.runs,
    undoer: programs.undoer,
    nodes,
    alarms: new StoredAlarms(database.kysely),
    now: systemClock.now,
    newRunId: randomUUIDv7,
    hostTimezone: world.hostTimezone,
    remedyOf,
  });
  const http = createHttpServer(application, { token: data.token, logger, version });
  closers.push(() => http.close());
  await http.listen({ host: options.host, port: options.port });
  const url = urlOf(http.server.address() as AddressInfo);
  nodes.serveAt(url);
  await announce(dataDirectory, url);
  closers.push(() => withdraw(dataDirectory));
  return {
    url,
    failed: placeTaken.promise,
    async stop(undoMs) {
      // What another process has taken over is no longer to be told anything from here.
      if (!isPlaceTaken) {
        // For whoever looks at the list of nodes meanwhile.
        await nodes.setDraining(nodes.name, true).catch(() => undefined);
        await programs.undo(undoMs);
      }
      await closeAll(closers);
    },
  };
}

/** Queues what an imported database has left to do, before anything here or elsewhere works on it. */
async function takeUpImport({ kysely, connectionOptions }: Database<Tables>, logger: Logger): Promise<void> {
  const count = await rebuildQueue(kysely, () => openQueue(connectionOptions, logger));
  if (count > 0) logger.info({ count }, 'this database was imported: its open runs and tasks are queued');
}

function openQueue(connection: ConnectionOptions, logger: Logger): Queue<Transaction<Tables>> {
  const onError = (error: Error): void => logger.error({ err: error }, 'the queue met a problem');
  // Kysely's type says which tables may be named; the engine names its own, which are among them.
  return new BossQueue(connection, onError) as unknown as Queue<Transaction<Tables>>;
}

/** What the programs reach the world through. */
type World = Awaited<ReturnType<typeof openWorld>>;

async function openWorld(db: Kysely<Tables>, data: DataDirectory, closers: Closer[]) {
  const hostTimezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const definitions = new StoredDefinitions(db, data.secretKey);
  const parameters = new LatestParameters(definitions);
  await parameters.read();
  // Nothing is sent, begun or published before there is an engine, nor when it could not renew what it holds.
  const fence: { mayActForMs: () => number } = { mayActForMs: () => 0 };
  const mayActForMs = (): number => fence.mayActForMs();
  const mayAct = (): boolean => mayActForMs() > 0;
  const appliances = new Appliances(definitions, mayAct);
  closers.push(() => appliances.close());
  const movers = openMoverPool({ size: MOVERS, mayActForMs });
  closers.push(() => movers.close());
  const store = new ConfiguredStore(db, movers);
  const fleet = new LiveFleet(appliances, systemClock.now);
  const scripts = new ScriptDesk(db, () => parameters.read(), data.scriptsFolder, mayAct);
  return { definitions, parameters, appliances, movers, store, fleet, scripts, hostTimezone, fence };
}

async function startPrograms(
  world: World,
  { kysely, connectionOptions }: Database<Tables>,
  nodes: StoredNodes,
  watch: AlarmWatch,
  { nodeId }: DataDirectory,
  logger: Logger,
  closers: Closer[],
): Promise<ComposedPrograms<Transaction<Tables>>> {
  // Kysely's type says which tables may be named; the engine names its own, which are among them.
  const journal = new PostgresJournal(kysely as unknown as Kysely<EngineTables>);
  const programs = composePrograms<Transaction<Tables>>({
    ...world,
    journal: journal as unknown as Journal<Transaction<Tables>>,
    queue: openQueue(connectionOptions, logger),
    records: storedRecords(kysely),
    clock: systemClock,
    nodeId,
    version,
    newId: randomUUIDv7,
    beat: (devicesParallel) => nodes.beat(devicesParallel),
    onProblem: (error, work) => logger.error({ err: error }, `${work} failed`),
  });
  world.fence.mayActForMs = () => programs.engine.mayActForMs();
  listenTo(programs.engine, logger);
  watch.listenTo(programs.engine);
  closers.push(() => programs.stop());
  await programs.start();
  return programs;
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

function listenTo<Transaction>(engine: Engine<Transaction>, logger: Logger): void {
  engine.on('problem', (error) => logger.error({ err: error }, 'the engine met a problem'));
  engine.on('parked', ({ subjectId, program, error }) => {
    logger.error(
      { subjectId, program, err: error },
      'a mistake of ours: its state is unknown, it is tried again later',
    );
  });
  engine.on('ended', ({ subjectId, program, verdict }) => {
    logger.info({ subjectId, program, verdict }, 'ended');
  });
}
