import type { Channel } from '@stillpoint/core';
import { type Clock, Engine, type Journal, type Queue } from '@stillpoint/engine';
import type { Notifier } from '../app/notifier.ts';
import type { Definitions, Fleet, Runs, Undoer } from '../app/ports.ts';
import type { Conversations } from './conversation.ts';
import { type HeartbeatReceiver, sendHeartbeat } from './heartbeat.ts';
import type { LatestParameters } from './latest-parameters.ts';
import { NoticeDelivery } from './notice-delivery.ts';
import { Planner } from './planner.ts';
import type { Movers, Records, Scripts, TargetStore } from './ports.ts';
import { QueuedRuns } from './queued-runs.ts';
import { Reconciler } from './reconciler.ts';
import { type Repetition, repeat } from './repeat.ts';
import { RunPerformer } from './run-performer.ts';
import { runProgram } from './run-program.ts';
import { TaskPerformer } from './task-performer.ts';
import { taskProgram } from './task-program.ts';
import { undoGoingTasks } from './undo-going-tasks.ts';

/** What one node's programs are made of; nodes that share journal, queue and records share the work. */
export type ProgramParts<Transaction> = {
  readonly journal: Journal<Transaction>;
  readonly queue: Queue<Transaction>;
  readonly records: Records<Transaction>;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly definitions: Pick<Definitions, 'devices'>;
  /** Read once already. */
  readonly parameters: LatestParameters;
  readonly fleet: Pick<Fleet, 'readInventory'>;
  readonly appliances: Conversations;
  readonly movers: Movers;
  readonly store: TargetStore;
  readonly scripts: Scripts;
  readonly hostTimezone: string;
  readonly version: string;
  /** Identifiers that sort in the order in which they were made. */
  readonly newId: () => string;
  /** Shows the other nodes that this one lives, and answers whether it is to begin nothing more; a node alone has none. */
  readonly beat?: (devicesParallel: number) => Promise<{ readonly isDraining: boolean }>;
  /** Who is told what; without them notices are entered and wait. */
  readonly receivers?: {
    readonly notifiers: Readonly<Record<Channel, Notifier>>;
    readonly heartbeat: HeartbeatReceiver;
  };
  /** Told what was thrown by work that is done again and again, and which. */
  readonly onProblem: (error: unknown, work: RepeatedWork) => void;
};

/** Work that is done again and again, by its name. */
export type RepeatedWork = 'planning' | 'reconciling' | 'delivering notices' | 'sending the heartbeat';

/** The programs of one node. */
export type ComposedPrograms<Transaction> = {
  readonly engine: Engine<Transaction>;
  readonly runs: Runs;
  readonly undoer: Undoer;
  start(): Promise<void>;
  /** Claims nothing more, and lets going tasks undo what they did, for `undoMs` at most. */
  undo(undoMs: number): Promise<void>;
  /** Lets go of everything; what is left is taken over by another node or at the next start. */
  stop(): Promise<void>;
};

/** Runs that may go on at once; their tasks are what takes work. */
const RUNS_AT_ONCE = 200;

/** How often it is looked for devices that are due to be set moving again. */
const RECONCILER_PAUSE_MS = 5_000;

/** Looks every second, so that a run starts within a second of its fire. */
const PLANNER_PAUSE_MS = 1_000;

/** An alarm is told within so much of its opening, when its receiver is there. */
const DELIVERY_PAUSE_MS = 1_000;

/** Much shorter than the shortest pause between two heartbeats. */
const HEARTBEAT_PAUSE_MS = 2_000;

/** Puts the programs of one node together, as the server and the simulation run them. */
export function composePrograms<Transaction>(
  parts: ProgramParts<Transaction>,
): ComposedPrograms<Transaction> {
  const { clock, records } = parts;
  const engine = composeEngine(parts);
  const runs = new QueuedRuns(records.runs, engine);
  const reconciler = composeReconciler(parts, engine);
  const loops: Repetition[] = [];
  return {
    engine,
    runs,
    undoer: reconciler,
    async start() {
      await engine.start();
      await reconciler.start();
      loops.push(repeatReconciling(parts, reconciler), startPlanner(parts, engine, runs));
      loops.push(...startTelling(parts));
    },
    undo: (undoMs) => undoGoingTasks(engine, clock, undoMs),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await reconciler.stop();
      await engine.stop();
    },
  };
}

function composeEngine<Transaction>(parts: ProgramParts<Transaction>): Engine<Transaction> {
  const { journal, queue, clock, nodeId, records } = parts;
  const tools = { ...parts, parameters: () => parts.parameters.read() };
  const runs = new RunPerformer<Transaction>({ ...tools, engine: () => engine });
  const tasks = new TaskPerformer<Transaction>(tools);
  const orders = { isDraining: false };
  const { beat, parameters } = parts;
  const beatAndObey = async (): Promise<void> => {
    // What was changed through another node holds here with the next beat.
    await parameters.read();
    if (beat !== undefined) orders.isDraining = (await beat(parameters.devicesParallel())).isDraining;
  };
  const atMost = (count: number): number => (orders.isDraining ? 0 : count);
  const engine: Engine<Transaction> = new Engine<Transaction>({
    beat: beatAndObey,
    journal,
    queue,
    clock,
    nodeId,
    programs: [
      { program: runProgram(runs, records), parallel: () => atMost(RUNS_AT_ONCE) },
      { program: taskProgram(tasks, records), parallel: () => atMost(parameters.devicesParallel()) },
    ],
  });
  return engine;
}

function composeReconciler<Transaction>(
  parts: ProgramParts<Transaction>,
  engine: Engine<Transaction>,
): Reconciler<Transaction> {
  const { records, appliances, nodeId, clock, parameters } = parts;
  const settleMs = async (): Promise<number> => (await parameters.read())['quiesce.settleSeconds'] * 1000;
  const onProblem = (error: unknown): void => parts.onProblem(error, 'reconciling');
  const { guards } = records;
  return new Reconciler({ guards, engine, appliances, settleMs, nodeId, clock, onProblem });
}

function repeatReconciling<Transaction>(
  { clock, onProblem }: ProgramParts<Transaction>,
  reconciler: Reconciler<Transaction>,
): Repetition {
  const work = async (): Promise<void> => void (await reconciler.reconcile());
  return repeat(clock, work, RECONCILER_PAUSE_MS, (error) => onProblem(error, 'reconciling'));
}

function startPlanner<Transaction>(
  parts: ProgramParts<Transaction>,
  engine: Engine<Transaction>,
  runs: QueuedRuns<Transaction>,
): Repetition {
  const { records, hostTimezone, newId, clock, parameters, onProblem } = parts;
  const planner = new Planner<Transaction>({
    transact: (work) => engine.transact(work),
    plans: records.plans,
    parameters: () => parameters.read(),
    hostTimezone,
    queueIn: (trx, spec) => runs.queueIn(trx, spec),
    newId,
    clock,
  });
  const look = async (): Promise<void> => {
    if (await planner.startDueRuns()) engine.lookForWork();
  };
  return repeat(clock, look, PLANNER_PAUSE_MS, (error) => onProblem(error, 'planning'));
}

function startTelling<Transaction>(parts: ProgramParts<Transaction>): Repetition[] {
  const { records, clock, onProblem, receivers } = parts;
  if (receivers === undefined) return [];
  const { notifiers, heartbeat: receiver } = receivers;
  const delivery = new NoticeDelivery<Transaction>({
    notices: records.notices,
    notifiers,
    clock,
    onProblem: (error) => onProblem(error, 'delivering notices'),
  });
  const begin = (signal: AbortSignal): Promise<void> => delivery.begin(signal);
  const deliveries = repeat(clock, begin, DELIVERY_PAUSE_MS, (error) =>
    onProblem(error, 'delivering notices'),
  );
  const beat = (signal: AbortSignal): Promise<void> =>
    sendHeartbeat({ records: records.notices, receiver, clock }, signal);
  const heartbeats = repeat(clock, beat, HEARTBEAT_PAUSE_MS, (error) =>
    onProblem(error, 'sending the heartbeat'),
  );
  const stopDelivering = async (): Promise<void> => {
    await deliveries.stop();
    await delivery.ended();
  };
  return [{ stop: stopDelivering }, heartbeats];
}
