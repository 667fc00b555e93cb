import { randomUUIDv7 } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { problemCatalogue } from '@stillpoint/contract';
import { coreCatalogue } from '@stillpoint/core';
import { acquireDataDirectoryLock, openDatabase } from '@stillpoint/database';
import { datapowerCatalogue } from '@stillpoint/datapower';
import { type Engine, systemClock } from '@stillpoint/engine';
import { storeCatalogue } from '@stillpoint/store';
import type { Kysely, Transaction } from 'kysely';
import type { Logger } from 'pino';
import { AlarmWatch } from './adapters/alarm-watch.ts';
import { Appliances } from './adapters/appliances.ts';
import { ConfiguredStore } from './adapters/configured-store.ts';
import { StoredDefinitions } from './adapters/definitions.ts';
import { type EngineDatabase, engineDatabase } from './adapters/engine-database.ts';
import { LiveFleet } from './adapters/live-fleet.ts';
import { lookForAlarms } from './adapters/look-for-alarms.ts';
import { ListedNotices } from './adapters/notices/listed-notices.ts';
import { noticeCatalogue } from './adapters/notices/notice-catalogue.ts';
import { openNotifiers } from './adapters/notices/open-notifiers.ts';
import { rebuildQueue } from './adapters/rebuild-queue.ts';
import { scriptCatalogue } from './adapters/script-catalogue.ts';
import { ScriptDesk } from './adapters/script-desk.ts';
import { ScriptTrials } from './adapters/script-trials.ts';
import { StoredAlarms } from './adapters/stored-alarms.ts';
import { StoredHistory } from './adapters/stored-history.ts';
import { StoredNodes } from './adapters/stored-nodes.ts';
import { StoredParameterChanges } from './adapters/stored-parameter-changes.ts';
import { StoredPlanHistory } from './adapters/stored-plan-history.ts';
import { storedRecords } from './adapters/stored-records.ts';
import type { Tables } from './adapters/tables.ts';
import { taskCatalogue } from './adapters/task-catalogue.ts';
import { trimHistory } from './adapters/trim-history.ts';
import { alarmCatalogue } from './app/alarm-catalogue.ts';
import { createApplication } from './app/create-application.ts';
import { announce, type DataDirectory, openDataDirectory, withdraw } from './data-directory.ts';
import { createHttpServer } from './http/create-http-server.ts';
import { moverCatalogue } from './movers/mover-catalogue.ts';
import { openMoverPool } from './movers/mover-pool.ts';
import { OpenedParts } from './opened-parts.ts';
import { type ComposedPrograms, composePrograms } from './programs/compose-programs.ts';
import { LatestParameters } from './programs/latest-parameters.ts';
import { repeat } from './programs/repeat.ts';
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
  /** Where movers keep their code compiled, a folder that nobody else can write to; null for nowhere. */
  readonly codeCache?: string | null;
  /** Breaks the start off: it then ends what it began, and throws the reason. What serves already is stopped with `stop`. */
  readonly signal?: AbortSignal;
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

const HISTORY_PAUSE_MS = 3_600_000;

/** What was begun while a start went on that failed is undone, for this long at most. */
const UNDO_MS = 60_000;

/**
 * The composition root: opens the database, hosts the programs, serves the API. Throws `DatabaseError`, what listening
 * throws, and the reason of an abort, and then leaves nothing running.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const parts = new OpenedParts();
  try {
    return await compose(options, parts);
  } catch (error) {
    const problems = await parts.end(UNDO_MS).catch((problem: unknown) => problem);
    if (problems !== undefined) options.logger.error({ err: problems }, 'a start did not end in order');
    throw error;
  }
}

/**
 * Parts end in the reverse of the order in which they are opened here, and that order is more than tidiness. Programs end
 * before their node leaves, for others take over at once what a node held that has left. Both end before movers and
 * appliances, with which programs work to the last, and all of it before the database that is told how it ended. The lock
 * of the data directory comes last: a second server with this node's id would take this one's work for its own.
 */
async function compose(options: ServerOptions, parts: OpenedParts): Promise<RunningServer> {
  const { dataDirectory, databaseUrl, logger, signal } = options;
  const data = await openDataDirectory(dataDirectory, options.environment);
  // Whatever database each of them uses: two servers of one node id would undo each other's work.
  const lock = acquireDataDirectoryLock(join(data.path, 'server.lock'));
  parts.add(async () => lock.release());
  const target = databaseUrl === null ? { dataDirectory } : { url: databaseUrl };
  const database = await openDatabase<Tables>(target, {
    onEvent: (event) => logger.warn({ event }, 'database'),
  });
  parts.add(() => database.close());
  signal?.throwIfAborted();
  await database.migrate();
  signal?.throwIfAborted();
  const onError = (error: Error): void => logger.error({ err: error }, 'the queue met a problem');
  const work = engineDatabase(database, onError);
  await takeUpImport(database.kysely, work, logger);
  const world = await openWorld(database.kysely, data, parts, options.codeCache ?? null);
  await endLeftScripts(world.scripts, logger);
  const identity = { id: data.nodeId, hostName: hostname(), version, pid: process.pid };
  const nodes = new StoredNodes(database.kysely, { ...identity, name: options.nodeName ?? null });
  const watch = new AlarmWatch({
    lookForAlarms: (parked) => lookForAlarms(database.kysely, nodes.name, parked),
    clock: systemClock,
    onProblem: (error) => logger.error({ err: error }, 'looking for alarms failed'),
  });
  parts.add(() => watch.stop());
  parts.add(() => nodes.leave().catch((error) => logger.warn({ err: error }, 'nobody was told of the end')));
  signal?.throwIfAborted();
  const programs = hostPrograms(world, database.kysely, work, nodes, data, logger);
  watch.listenTo(programs.engine);
  const failed = undoesBeforeItEnds(parts, programs, nodes);
  // Begins nothing more from then on; what was begun until then is undone.
  signal?.addEventListener('abort', () => void programs.engine.drain());
  await programs.start();
  signal?.throwIfAborted();
  watch.start();
  keepHistoryShort(database.kysely, world.parameters, parts, logger);
  const application = createApplication({
    definitions: world.definitions,
    fleet: world.fleet,
    store: world.store,
    ...storedReadings(database.kysely),
    runs: programs.runs,
    scripts: world.trials,
    undoer: programs.undoer,
    nodes,
    ...world.receivers,
    now: systemClock.now,
    newRunId: randomUUIDv7,
    hostTimezone: world.hostTimezone,
    remedyOf,
  });
  const http = createHttpServer(application, { token: data.token, logger, version });
  // Nobody waits for who waits for the end of a script.
  parts.add(async () => void (await Promise.all([world.trials.stop(), http.close()])));
  await http.listen({ host: options.host, port: options.port });
  const url = urlOf(http.server.address() as AddressInfo);
  nodes.serveAt(url);
  await announce(dataDirectory, url);
  parts.add(() => withdraw(dataDirectory));
  return { url, failed, stop: (undoMs) => parts.end(undoMs) };
}

/** Looks every hour, so that what is to go goes within an hour; whichever node looks first does it. */
function keepHistoryShort(
  db: Kysely<Tables>,
  parameters: LatestParameters,
  parts: OpenedParts,
  logger: Logger,
): void {
  const trim = async (signal: AbortSignal): Promise<void> => {
    const keepDays = (await parameters.read())['history.keepDays'];
    const runs = await trimHistory(db, keepDays, signal);
    if (runs > 0) logger.info({ runs, keepDays }, 'runs have left the history');
  };
  const onProblem = (error: unknown): void => logger.error({ err: error }, 'trimming the history failed');
  const loop = repeat(systemClock, trim, HISTORY_PAUSE_MS, onProblem);
  parts.add(() => loop.stop());
}

/** What clients read of what is kept. */
const storedReadings = (db: Kysely<Tables>) => ({
  history: new StoredHistory(db, remedyOf),
  planHistory: new StoredPlanHistory(db),
  changedParameters: new StoredParameterChanges(db),
  alarms: new StoredAlarms(db),
  notices: new ListedNotices(db),
});

/** Answers what becomes known when another process takes the place of this node. */
function undoesBeforeItEnds<Transaction>(
  parts: OpenedParts,
  programs: ComposedPrograms<Transaction>,
  nodes: StoredNodes,
): Promise<string> {
  const placeTaken = Promise.withResolvers<string>();
  let isPlaceTaken = false;
  programs.engine.once('placeTaken', ({ message }) => {
    isPlaceTaken = true;
    placeTaken.resolve(message);
  });
  parts.add(() => programs.stop());
  parts.undoFirst(async (undoMs) => {
    // What another process has taken over is no longer to be told anything from here.
    if (isPlaceTaken) return;
    // For whoever looks at the list of nodes meanwhile.
    await nodes.setDraining(nodes.name, true).catch(() => undefined);
    await programs.undo(undoMs);
  });
  return placeTaken.promise;
}

/** Queues what an imported database has left to do, before anything here or elsewhere works on it. */
async function takeUpImport(db: Kysely<Tables>, work: EngineDatabase, logger: Logger): Promise<void> {
  const count = await rebuildQueue(db, () => work.openQueue());
  if (count > 0) logger.info({ count }, 'this database was imported: its open runs and tasks are queued');
}

/** What ran when the process of this node died is ended before anything of it is taken over. */
async function endLeftScripts(scripts: ScriptDesk, logger: Logger): Promise<void> {
  const { count, leftRunning } = await scripts.endLeftBehind();
  if (count > 0)
    logger.warn({ count, leftRunning }, 'processes of scripts outlived the server: they are ended');
}

/** What the programs reach the world through. */
type World = Awaited<ReturnType<typeof openWorld>>;

async function openWorld(
  db: Kysely<Tables>,
  data: DataDirectory,
  parts: OpenedParts,
  codeCache: string | null,
) {
  const hostTimezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const definitions = new StoredDefinitions(db, data.secretKey);
  const parameters = new LatestParameters(definitions);
  await parameters.read();
  // Nothing is sent, begun or published before there is an engine, nor when it could not renew what it holds.
  const fence: { mayActForMs: () => number } = { mayActForMs: () => 0 };
  const mayActForMs = (): number => fence.mayActForMs();
  const mayAct = (): boolean => mayActForMs() > 0;
  const appliances = new Appliances(definitions, mayAct);
  parts.add(() => appliances.close());
  const movers = openMoverPool({ size: MOVERS, mayActForMs, codeCache });
  parts.add(() => movers.close());
  const store = new ConfiguredStore(db, movers);
  const fleet = new LiveFleet(appliances, systemClock.now);
  const surroundings = {
    parameters: () => parameters.read(),
    defaultFolder: data.scriptsFolder,
    mayBegin: mayAct,
    nodeId: data.nodeId,
  };
  const scripts = new ScriptDesk(db, surroundings);
  const trials = new ScriptTrials(surroundings);
  const receivers = openNotifiers({
    settings: definitions,
    source: { hostName: hostname(), pid: process.pid },
    version,
    now: systemClock.now,
    remedyOf,
  });
  return {
    definitions,
    parameters,
    appliances,
    movers,
    store,
    fleet,
    scripts,
    trials,
    receivers,
    hostTimezone,
    fence,
  };
}

function hostPrograms(
  world: World,
  db: Kysely<Tables>,
  work: EngineDatabase,
  nodes: StoredNodes,
  { nodeId }: DataDirectory,
  logger: Logger,
): ComposedPrograms<Transaction<Tables>> {
  const programs = composePrograms<Transaction<Tables>>({
    ...world,
    journal: work.journal,
    queue: work.openQueue(),
    records: storedRecords(db),
    clock: systemClock,
    nodeId,
    version,
    newId: randomUUIDv7,
    beat: (devicesParallel) => nodes.beat(devicesParallel),
    onProblem: (error, work) => logger.error({ err: error }, `${work} failed`),
  });
  world.fence.mayActForMs = () => programs.engine.mayActForMs();
  listenTo(programs.engine, logger);
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
  alarmCatalogue,
  noticeCatalogue,
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
