import { Invariants, type Violation } from './invariants.ts';
import { Mutation } from './mutation.ts';
import { makeScenario, type Scenario } from './scenario.ts';
import { SimulatedNode } from './simulated-node.ts';
import { Storm } from './storm.ts';
import { World } from './world.ts';

/** How a history is run. */
export type HistoryOptions = {
  readonly seed: number;
  readonly keepsTrail?: boolean;
  readonly mutation?: Mutation;
  /** Another beginning than that of the seed. */
  readonly scenario?: Scenario;
};

/** What came of one seed. */
export type History = {
  readonly seed: number;
  readonly violation: Violation | null;
  /** Tells two histories apart, bit by bit. */
  readonly sum: string;
  readonly steps: number;
  readonly checks: number;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<Counted, number>>;
  readonly lines: readonly string[];
};

const counted = [
  'fact',
  'look',
  'action',
  'fault',
  'storm',
  'publish',
  'claim',
  'parked',
  'runs',
  'tasks',
  'furtherAttempts',
  'guards',
  'fires',
  'leftOut',
  'files',
] as const;

/** What histories are counted by. */
export type Counted = (typeof counted)[number];

/** Everything that was begun has come to its end so long after the storm, or never will. */
const LONGEST_CALM_MS = 45 * 60_000;

/** Runs the history of one seed to its end, or to the first invariant that does not hold. */
export async function runHistory(options: HistoryOptions): Promise<History> {
  const { seed, keepsTrail = false, mutation, scenario = makeScenario(seed) } = options;
  const { startAt, stormMs, pauseMs } = scenario;
  const world = new World({ ...scenario, seed, keepsTrail });
  const nodes: SimulatedNode[] = [];
  const invariants = new Invariants(world, () => nodes);
  for (const name of scenario.nodes) {
    const observe = (node: SimulatedNode) => invariants.observerOf(node);
    nodes.push(new SimulatedNode(world, name, mutation ?? new Mutation(), observe));
  }
  world.keepPlans(scenario.plans);
  world.weather = scenario.weather;
  world.diskWeather = { moverDied: 0.01, ioError: 0.01, cutOff: 0.02 };
  world.scriptFailure = 0.2;
  for (const node of nodes) node.start();
  const storm = new Storm(world, nodes, pauseMs, scenario.disturbances);
  invariants.onRecorded = storm.onRecorded;
  storm.begin();
  const isBroken = (): boolean => invariants.violation !== null;
  await world.kernel.run(startAt + stormMs, isBroken, invariants.check);
  storm.end();
  const isOver = (): boolean => isBroken() || isSettled(world);
  await world.kernel.run(startAt + stormMs + LONGEST_CALM_MS, isOver, invariants.check);
  if (!isBroken()) invariants.checkEnd();
  return {
    seed,
    violation: invariants.violation,
    sum: world.trail.sum,
    steps: world.kernel.steps,
    checks: invariants.checks,
    virtualMs: world.kernel.now - startAt,
    counts: countsOf(world),
    lines: world.trail.lines,
  };
}

/** Nothing is left to do: every run and task has its verdict, and nothing is held by us. */
function isSettled({ rows, openGuards, devices }: World): boolean {
  for (const { endedAt } of rows.runs.values()) if (endedAt === null) return false;
  for (const { status } of rows.tasks.values())
    if (status === 'WAITING' || status === 'RUNNING') return false;
  if (openGuards.length > 0) return false;
  for (const device of devices.values()) if (device.heldBy('us').length > 0) return false;
  return true;
}

function countsOf({ trail, rows, fires, store }: World): Record<Counted, number> {
  const counts = Object.fromEntries(counted.map((name) => [name, trail.count(name)]));
  const sizes = {
    runs: rows.runs.size,
    tasks: rows.tasks.size,
    furtherAttempts: [...rows.tasks.values()].reduce((sum, { attempt }) => sum + attempt - 1, 0),
    guards: rows.guards.length,
    fires: fires.fires.size,
    leftOut: fires.leftOut,
    files: store.published.size,
  };
  return { ...counts, ...sizes } as Record<Counted, number>;
}
