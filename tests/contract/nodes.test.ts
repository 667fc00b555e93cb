import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type AnotherNode, nodesOf, startAnotherNode } from './testing/another-node.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const exportOf = (devices: string, domains = 'A'): PlanInput => ({
  activities: [{ exportDomain: { devices, domains, quiesce: true } }],
});

/** A further node for the test that calls this. */
async function withNode(name: string): Promise<AnotherNode> {
  const node = await startAnotherNode(stillpoint, name);
  onTestFinished(() => node.stop());
  return node;
}

const statesOf = async (): Promise<string[]> =>
  (await nodesOf(stillpoint.client)).map(({ name, state }) => `${name} ${state}`);

/** The names of the nodes that drove the tasks of a run. */
async function driversOf({ id }: { id: string }): Promise<unknown[]> {
  const text = `select distinct node.name from task join journal_subject s on s.id = task.id
    join node on node.id = s.node_id where run_id = $1 order by 1`;
  return ((await stillpoint.query(text, [id])) as { name: string }[]).map(({ name }) => name);
}

/** Has a node begin nothing more, or work again, and waits until it has heard of it. */
async function order(verb: 'drainNode' | 'resumeNode', name: string): Promise<void> {
  const before = (await nodesOf(stillpoint.client)).find((node) => node.name === name)?.heartbeatAt ?? '';
  expect((await stillpoint.client[verb]({ params: { name } })).ok).toBe(true);
  await until(
    async () => (await nodesOf(stillpoint.client)).find((node) => node.name === name)?.heartbeatAt ?? '',
    (heartbeatAt) => heartbeatAt > before,
  );
}

it('nodes on one database know of each other, and each says which one answers', async () => {
  const other = await withNode('second');
  const first = (await nodesOf(stillpoint.client)).map(({ name, isAnswering }) => `${name} ${isAnswering}`);
  expect(first.sort()).toEqual([`${hostname()} true`, 'second false'].sort());
  const seen = await until(
    () => nodesOf(other.client),
    (nodes) => nodes.every(({ url }) => url !== null),
  );
  expect(seen.map(({ name, isAnswering }) => `${name} ${isAnswering}`).sort()).toEqual(
    [`${hostname()} false`, 'second true'].sort(),
  );
  expect(new Set(seen.map(({ url }) => url)).size).toBe(2);
  for (const { heartbeatAgeMs } of seen) expect(heartbeatAgeMs).toBeLessThan(10_000);
});

it('a name that a living node has is refused to another', async () => {
  await withNode('taken');
  await expect(startAnotherNode(stillpoint, 'taken', 'elsewhere')).rejects.toThrow(
    'Another node that runs has the name "taken". Choose another with --node-name.',
  );
  expect((await statesOf()).filter((line) => line.startsWith('taken'))).toEqual(['taken running']);
});

it('a node that stops says so, and is not missed', async () => {
  const other = await startAnotherNode(stillpoint, 'leaving');
  await other.stop();
  expect(await statesOf()).toContain('leaving stopped');
  const drained = await stillpoint.client.drainNode({ params: { name: 'leaving' } });
  expect(drained).toMatchObject({ ok: false, problem: { code: 'NODE_NOT_RUNNING' } });
});

it('a parameter that is set through one node holds on the others within seconds', async () => {
  const other = await withNode('following');
  await stillpoint.setParameters({ 'devices.parallel': 7 });
  await until(
    () => nodesOf(other.client),
    (nodes) => nodes.filter(({ state }) => state === 'running').every((node) => node.devicesParallel === 7),
  );
});

it('a node that drains begins nothing, and what it began goes on to its end', async () => {
  const fleet = await stillpoint.connectFleet([{ name: 'slow', domains: [{ name: 'A' }], latencyMs: 20 }]);
  fleet.device('slow').orderFault({ kind: 'quiesce-never' });
  const begun = await stillpoint.startRun(exportOf('slow'));
  await stillpoint.stepOf(begun, 'quiesce', 'succeeded');
  await order('drainNode', hostname());
  expect(await nodesOf(stillpoint.client)).toContainEqual(
    expect.objectContaining({ name: hostname(), state: 'draining', tasksGoing: 1 }),
  );

  // With nobody else there, what is new waits.
  await stillpoint.connectFleet([{ name: 'new', domains: [{ name: 'A' }] }]);
  const waiting = await stillpoint.startRun(exportOf('new'));
  const other = await withNode('taking-over');
  expect((await stillpoint.endOf(waiting)).lines).toEqual(['new/A SUCCEEDED']);
  expect(await driversOf(waiting)).toEqual([other.name]);

  await stillpoint.client.cancelRun({ params: { id: begun.id } });
  expect((await stillpoint.endOf(begun)).lines).toEqual(['slow/A CANCELLED EXECUTION_CANCELED_BY_OPERATOR']);
  expect(await driversOf(begun)).toEqual([hostname()]);
  const idle = (await nodesOf(stillpoint.client)).find(({ state }) => state === 'draining');
  expect(idle?.sentence).toContain('has nothing left to do; it can be stopped');

  await order('resumeNode', hostname());
  await order('drainNode', other.name);
  const again = await stillpoint.runPlan(exportOf('new'));
  expect(again.lines).toEqual(['new/A SUCCEEDED']);
  expect(await driversOf(again.run)).toEqual([hostname()]);
});

it('a node that is told to stop undoes what it began, and nothing is left quiesced', async () => {
  const fleet = await stillpoint.connectFleet([{ name: 'undone', domains: [{ name: 'A' }] }]);
  fleet.device('undone').orderFault({ kind: 'quiesce-never' });
  const other = await startAnotherNode(stillpoint, 'stopping');
  await order('drainNode', hostname());
  onTestFinished(() => order('resumeNode', hostname()));
  const run = await stillpoint.startRun(exportOf('undone'));
  await stillpoint.stepOf(run, 'quiesce', 'succeeded');
  await other.stop();
  expect(await stillpoint.guards()).toEqual([]);
  expect(fleet.sentTo('undone')).toEqual(['DomainQuiesce A', 'DomainUnquiesce A']);
  await order('resumeNode', hostname());
  expect((await stillpoint.endOf(run)).lines).toEqual(['undone/A FAILED INTERRUPTED']);
});
