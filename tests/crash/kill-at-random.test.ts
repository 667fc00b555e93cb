import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Client } from '../../packages/contract/src/index.ts';
import { beginCluster, type Cluster } from './testing/begin-cluster.ts';
import { type Chance, makeChance } from './testing/chance.ts';
import { expectOrder, untilSettled } from './testing/expect-order.ts';
import { kindsOfTasks, ofKind } from './testing/kinds-of-tasks.ts';
import { type OwnPostgres, openOwnPostgres } from './testing/open-own-postgres.ts';
import type { LaunchedServer } from './testing/start-server-process.ts';

/** `npm run crash -- --kills 1000 --seed 7` raises the one and sets the other. */
const KILLS = Number(process.env.STILLPOINT_KILLS ?? 300);
const SEED = Number(process.env.STILLPOINT_SEED ?? Date.now() % 1_000_000);

const NODES = ['a', 'b', 'c'];
const DEVICES_OF_A_KIND = 5;
/** After this many kills everything is left alone until nothing is going on, and then looked at. */
const KILLS_PER_ROUND = 60;
/** A node is killed up to this long after it has begun to serve, or to start. */
const LONGEST_SERVICE_MS = 2_500;
const LONGEST_START_MS = 900;
const PAUSE_OF_LOAD_MS = 200;
/** Seldom enough that its supervisor, who waits longer after every death, does not keep everything else waiting. */
const POSTGRES_KILL_EVERY_MS = 40_000;
const TROUBLE_EVERY_MS = 2_000;

const devices = Object.keys(kindsOfTasks).flatMap((kind) =>
  Array.from({ length: DEVICES_OF_A_KIND }, (_, index) => ({ kind, name: `${kind}-${index + 1}` })),
);

type Figures = { kills: number; serving: number; quiesced: number; postgresKills: number; troubles: number };

/** Everything that goes on while nodes are being killed. */
type Storm = {
  readonly cluster: Cluster;
  readonly postgres: OwnPostgres;
  readonly chance: Chance;
  readonly figures: Figures;
  /** The API of each node that serves. */
  readonly clients: Map<string, Client>;
  /** How many kills end the present round. */
  killsLeft: number;
};

const isAnyQuiesced = ({ fleet }: Cluster): boolean =>
  fleet.devices.some(({ name }) =>
    fleet
      .device(name)
      .view()
      .domains.some(({ phase }) => phase !== 'normal'),
  );

/** Starts a node and kills it at a random instant, of its start or of its service, until the round is over. */
async function killAgainAndAgain(storm: Storm, name: string): Promise<void> {
  const { cluster, chance, figures, clients } = storm;
  while (storm.killsLeft > 0) {
    storm.killsLeft -= 1;
    const node = cluster.launchNode(name);
    const isInStart = chance.below(5) < 2;
    const afterMs = chance.below(isInStart ? LONGEST_START_MS : LONGEST_SERVICE_MS);
    if (!isInStart) await noteServing(storm, name, node);
    await delay(afterMs);
    figures.kills += 1;
    if (clients.has(name)) figures.serving += 1;
    if (isAnyQuiesced(cluster)) figures.quiesced += 1;
    clients.delete(name);
    await node.end('SIGKILL');
  }
}

async function noteServing({ clients }: Storm, name: string, node: LaunchedServer): Promise<void> {
  const serving = await node.serving;
  if (serving !== undefined) clients.set(name, serving.client);
}

/** Keeps a run of every plan going, through whichever node serves. */
async function keepBusy({ cluster, chance, clients }: Storm, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const busy = await cluster.query<{ plan_name: string }>(
        `select plan_name from run where status in ('QUEUED', 'VALIDATING', 'RUNNING')`,
      );
      const idle = Object.keys(kindsOfTasks).filter((kind) => !busy.some((run) => run.plan_name === kind));
      if (clients.size > 0) {
        const client = chance.oneOf([...clients.values()]);
        await Promise.all(idle.map((name) => client.runPlan({ params: { name }, body: {} })));
      }
    } catch {
      // The node, or PostgreSQL, was killed meanwhile; the next turn asks another one.
    }
    await pause(PAUSE_OF_LOAD_MS, signal);
  }
}

async function killPostgres({ postgres, chance, figures }: Storm, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(chance.below(2 * POSTGRES_KILL_EVERY_MS), signal);
    if (signal.aborted) return;
    if (postgres.kill()) figures.postgresKills += 1;
  }
}

/** Devices restart, or are away for a moment, with and without what was going on there. */
async function makeTrouble({ cluster, chance, figures }: Storm, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(chance.below(2 * TROUBLE_EVERY_MS), signal);
    if (signal.aborted) return;
    const device = cluster.fleet.device(chance.oneOf(devices).name);
    figures.troubles += 1;
    if (chance.below(2) < 1) device.reboot(chance.below(500) | 0);
    else {
      device.change({ isDown: true });
      await pause(chance.below(1_000), signal);
      device.change({ isDown: false });
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** One round of kills under load; then all nodes are left alone until nothing is going on. */
async function playRound(storm: Storm): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const around = [keepBusy(storm, signal), killPostgres(storm, signal), makeTrouble(storm, signal)];
  await Promise.all(NODES.map((name) => killAgainAndAgain(storm, name)));
  over.abort();
  await Promise.all(around);
}

/** All nodes are started at once, and have time to do what is left to do. */
async function settle({ cluster }: Storm): Promise<void> {
  const nodes = await Promise.all(NODES.map((name) => cluster.startNode(name)));
  await untilSettled(cluster);
  await Promise.all(nodes.map((node) => node.end('SIGKILL')));
}

it(
  `${KILLS} kills at random leave nothing quiesced, half-published or stuck`,
  async () => {
    const beganAt = performance.now();
    const postgres = await openOwnPostgres();
    const placed = devices.map(({ kind, name }) => ofKind(kind, name));
    await using cluster = await beginCluster({
      devices: placed.map(({ device }) => ({ ...device, quiesce: { quiesceMs: 150, unquiesceMs: 100 } })),
      plans: Object.entries(kindsOfTasks).map(([name, { activity }]) => ({
        name,
        activities: [activity(`${name}-*`)],
      })),
      parameters: { 'devices.parallel': 5 },
      database: postgres,
    });
    const figures = { kills: 0, serving: 0, quiesced: 0, postgresKills: 0, troubles: 0 };
    const storm: Storm = {
      cluster,
      postgres,
      figures,
      clients: new Map(),
      chance: makeChance(SEED),
      killsLeft: 0,
    };
    let order = { runs: 0, tasks: 0, files: 0 };
    while (figures.kills < KILLS) {
      storm.killsLeft = Math.min(KILLS_PER_ROUND, KILLS - figures.kills);
      await playRound(storm);
      await settle(storm);
      order = await expectOrder(cluster).catch((error: unknown) => {
        throw new Error(`seed ${SEED}, after ${figures.kills} kills`, { cause: error });
      });
    }
    expect(figures.kills).toBe(KILLS);
    console.log(
      `R-01 random: seed ${SEED}, ${figures.kills} kills of ${NODES.length} nodes (${figures.serving} while serving, ${figures.quiesced} with ` +
        `something quiesced), ${figures.postgresKills} of PostgreSQL, ${figures.troubles} devices away or restarted: ` +
        `${order.runs} runs, ${order.tasks} tasks, ${order.files} files; 0 left quiesced, 0 partial, 0 stuck; ` +
        `${Math.round((performance.now() - beganAt) / 1000)} s`,
    );
  },
  300_000 + KILLS * 3_000,
);
