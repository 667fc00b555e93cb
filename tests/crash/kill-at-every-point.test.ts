import { expect, it } from 'vitest';
import { beginCluster, type Cluster } from './testing/begin-cluster.ts';
import { expectOrder, untilSettled } from './testing/expect-order.ts';
import { findPoints, groupPoints, type Point } from './testing/find-points.ts';
import { good } from './testing/good.ts';
import { type FactHolds, holdFacts } from './testing/hold-facts.ts';
import { type HeldPoint, holdPoint } from './testing/hold-point.ts';
import { kindsOfTasks, ofKind } from './testing/kinds-of-tasks.ts';
import type { ServerProcess } from './testing/start-server-process.ts';
import { dealtWithAfterMs, readInFlight } from './testing/take-over-times.ts';

/** From the start of the process to the first fact of everything that was in flight. */
const TAKE_OVER_MS = 10_000;
/** A held transaction keeps one of the ten connections of a node's pool. */
const FACTS_PER_KILL = 8;
/** More tasks would need more movers at once than two cores can start. */
const BEGUN_AT_ONCE = 3;

type Placed = Point & { readonly device: string };

/** The points of all kinds, each with a device of its own. */
async function findAllPoints(): Promise<Placed[]> {
  const models = Object.keys(kindsOfTasks).map((kind) => ({ kind, ...ofKind(kind, `model-${kind}`) }));
  await using cluster = await beginCluster({
    devices: models.map(({ device }) => device),
    plans: models.map(({ plan }) => plan),
  });
  const node = await cluster.startNode('a');
  for (const { plan } of models) good(await node.client.runPlan({ params: { name: plan.name }, body: {} }));
  await untilSettled(cluster);
  const ended = await cluster.query('select status, reason from task');
  expect(ended).toEqual(models.map(() => ({ status: 'SUCCEEDED', reason: null })));
  const points: Point[] = [];
  for (const { kind, plan } of models) points.push(...(await findPoints(cluster, kind, plan.name)));
  return points.map((point, index) => ({ ...point, device: `${point.kind}-${index + 1}` }));
}

type Scene = { readonly cluster: Cluster; readonly holds: FactHolds };

/** Brings every device of a group to its point, a few at a time. */
async function bringToPoints(
  { cluster, holds }: Scene,
  node: ServerProcess,
  group: readonly Placed[],
): Promise<HeldPoint[]> {
  const held: HeldPoint[] = [];
  const waiting = [...group];
  const bringNext = async (): Promise<void> => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
      const { device, kind, name } = point;
      const one = await holdPoint(cluster, holds, device, point);
      held.push(one);
      good(await node.client.runPlan({ params: { name: device }, body: {} }));
      await cluster.until(async () => {
        if (!(await one.isReached())) throw new Error(`${kind}: "${name}" was not reached`);
      });
    }
  };
  await Promise.all(Array.from({ length: BEGUN_AT_ONCE }, bringNext));
  return held;
}

/** Kills the node with every device of the group at its point, and starts it again; answers the slowest take-over. */
async function killAt(
  scene: Scene,
  node: ServerProcess,
  group: readonly Placed[],
): Promise<{ node: ServerProcess; slowestMs: number; quiesced: number }> {
  const { cluster, holds } = scene;
  const held = await bringToPoints(scene, node, group);
  const quiesced = group.filter(({ device }) => cluster.fleet.device(device).domain('A').phase !== 'normal');
  await node.end('SIGKILL');
  for (const one of held) one.release();
  await holds.release();
  const inFlight = await readInFlight(cluster);
  const next = await cluster.startNode('a');
  await untilSettled(cluster);
  const times = await dealtWithAfterMs(cluster, inFlight, next.startedAt);
  expect(times.size).toBe(inFlight.length);
  return { node: next, slowestMs: Math.max(...times.values()), quiesced: quiesced.length };
}

/** What the kills of one lane have shown. */
type Figures = { kills: number; slowestMs: number; quiesced: number; files: number };

/** Kills one node after the other, each with a group of devices at their points. */
async function killForEach(groups: readonly (readonly Placed[])[]): Promise<Figures> {
  const placed = groups.flat().map(({ kind, device }) => ofKind(kind, device));
  await using cluster = await beginCluster({
    devices: placed.map(({ device }) => device),
    plans: placed.map(({ plan }) => plan),
  });
  const holds = await holdFacts(cluster);
  const figures: Figures = { kills: 0, slowestMs: 0, quiesced: 0, files: 0 };
  try {
    let node = await cluster.startNode('a');
    for (const group of groups) {
      const killed = await killAt({ cluster, holds }, node, group);
      node = killed.node;
      figures.kills += 1;
      figures.quiesced += killed.quiesced;
      figures.slowestMs = Math.max(figures.slowestMs, killed.slowestMs);
      figures.files = (await expectOrder(cluster)).files;
    }
  } finally {
    holds.dispose();
  }
  return figures;
}

it('a server that is killed at any point of any task undoes what it did when it is back', async () => {
  const points = await findAllPoints();
  const groups = groupPoints(points, FACTS_PER_KILL);
  const lanes = [0, 1].map((lane) => groups.filter((_, index) => index % 2 === lane));
  const done = await Promise.all(lanes.map(killForEach));
  const sum = (count: (figures: Figures) => number): number =>
    done.reduce((total, one) => total + count(one), 0);
  const slowestMs = Math.max(...done.map((one) => one.slowestMs));
  expect(slowestMs).toBeLessThanOrEqual(TAKE_OVER_MS);
  const facts = points.filter(({ hold }) => hold.by === 'fact').length;
  console.log(
    `R-01 points: ${points.length} (${facts} before a fact, ${points.length - facts} around requests and scripts) in ` +
      `${sum(({ kills }) => kills)} kills with ${sum(({ quiesced }) => quiesced)} devices quiesced: 0 left quiesced, ` +
      `0 partial files beside ${sum(({ files }) => files)} whole ones, 0 stuck; slowest take-over ${slowestMs} ms after the start`,
  );
}, 300_000);
