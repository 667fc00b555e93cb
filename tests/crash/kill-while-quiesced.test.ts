import { expect, it } from 'vitest';
import { beginCluster, type Cluster } from './testing/begin-cluster.ts';
import { beginScene } from './testing/begin-scene.ts';
import { expectOrder, untilSettled } from './testing/expect-order.ts';
import { good } from './testing/good.ts';
import { ofKind } from './testing/kinds-of-tasks.ts';
import { listStore } from './testing/list-store.ts';
import type { ServerProcess } from './testing/start-server-process.ts';

// Ways back that no undisturbed run passes: what lands late, what takes long, what is not there when the server is back.

const export_ = 'quiesced-export';
const slow = { kind: 'trickle', operation: 'do-backup', bytes: 64, everyMs: 200 } as const;
const never = 3_600_000;
const devices = {
  'lands-late': ofKind(export_, 'lands-late'),
  'never-landed': ofKind(export_, 'never-landed'),
  'not-at-rest': ofKind(export_, 'not-at-rest', { quiesce: { quiesceMs: never } }),
  'still-writing': ofKind('quiesced-secure', 'still-writing', {
    secureBackup: { isAsync: true, durationMs: 4_000 },
  }),
  away: ofKind(export_, 'away'),
  ignored: ofKind(export_, 'ignored'),
};
type DeviceName = keyof typeof devices;

const phaseOf = ({ fleet }: Cluster, name: DeviceName) => fleet.device(name).domain('A').phase;

const requests = ({ fleet }: Cluster, name: DeviceName, operation: string, sinceAt = 0) =>
  fleet.log.filter(
    (entry) => entry.device === name && entry.operation === operation && Date.parse(entry.at) >= sinceAt,
  );

/** Has every device of the scene in the middle of its task. */
async function bringToTheirPlaces(cluster: Cluster, { client }: ServerProcess): Promise<void> {
  const { fleet } = cluster;
  for (const name of ['lands-late', 'never-landed'])
    fleet.orderFault({ kind: 'stall', operation: 'DomainQuiesce' }, name);
  for (const name of ['away', 'ignored']) fleet.orderFault(slow, name);
  fleet.orderFault({ kind: 'unquiesce-never' }, 'ignored');
  for (const name of Object.keys(devices)) good(await client.runPlan({ params: { name }, body: {} }));
  await cluster.until(() => {
    for (const name of ['lands-late', 'never-landed'] as const)
      expect(requests(cluster, name, 'DomainQuiesce')).toMatchObject([{ outcome: 'stall' }]);
    expect(phaseOf(cluster, 'not-at-rest')).toBe('quiescing');
    for (const name of ['away', 'ignored'] as const) {
      expect(phaseOf(cluster, name)).toBe('quiesced');
      expect(
        fleet
          .device(name)
          .view()
          .openFaults.filter(({ kind }) => kind === 'trickle'),
      ).toEqual([]);
    }
    expect(requests(cluster, 'still-writing', 'SecureBackup')).toHaveLength(1);
  });
}

it('a server that is back undoes what lands late, takes long, was ignored or is away for a while', async () => {
  const placed = Object.values(devices);
  await using cluster = await beginCluster({
    devices: placed.map(({ device }) => device),
    plans: placed.map(({ plan }) => plan),
    parameters: { 'quiesce.settleSeconds': 3 },
  });
  const { fleet } = cluster;
  const first = await cluster.startNode('a');
  await bringToTheirPlaces(cluster, first);
  fleet.device('away').change({ isDown: true });
  await first.end('SIGKILL');

  const second = await cluster.startNode('a');
  // The lost request arrives only after the new server has seen the domain running.
  await cluster.until(() =>
    expect(requests(cluster, 'lands-late', 'get-status', second.startedAt)).not.toEqual([]),
  );
  fleet.device('lands-late').change({ domains: [{ name: 'A', isQuiesced: true }] });
  await cluster.until(() => expect(phaseOf(cluster, 'ignored')).toBe('unquiescing'));
  // Once more, in the middle of undoing.
  await second.end('SIGKILL');
  const third = await cluster.startNode('a');
  await cluster.until(() =>
    expect(requests(cluster, 'ignored', 'get-status', third.startedAt)).not.toEqual([]),
  );
  fleet.device('ignored').change({ domains: [{ name: 'A', isQuiesced: false }] });
  expect(good(await third.client.listGuards()).items).toContainEqual(
    expect.objectContaining({ device: 'away' }),
  );
  fleet.device('away').change({ isDown: false });
  await untilSettled(cluster);
  const { tasks } = await expectOrder(cluster);
  expect(requests(cluster, 'never-landed', 'DomainUnquiesce'), 'for a quiesce that never landed').toEqual([]);
  const ended = await cluster.query(`select distinct status, reason->>'code' as code from task`);
  expect(ended).toEqual([{ status: 'FAILED', code: 'INTERRUPTED' }]);
  console.log(`killed twice while undoing ${tasks} devices that were late, slow or away: 0 left quiesced`);
}, 120_000);

it('a server that is killed together with its PostgreSQL undoes its quiesce, and keeps the backup taken before', async () => {
  await using scene = await beginScene();
  const earlierId = await scene.startRun('export');
  await scene.until(async () => expect((await scene.run(earlierId)).status).toBe('SUCCEEDED'));
  const { published } = listStore(scene.room.store);
  expect(published).toHaveLength(1);
  scene.fleet.orderFault(slow);
  const runId = await scene.startRun('export');
  await scene.until(() => expect(listStore(scene.room.store).incoming).toHaveLength(3));
  await scene.server.end('SIGKILL');
  for (const { pid, command } of scene.room.processes())
    if (/postgres.* -D /.test(command)) process.kill(pid, 'SIGKILL');
  await scene.restart();
  await scene.until(async () => {
    expect(await scene.tasks(runId)).toMatchObject([{ status: 'FAILED', reasonCode: 'INTERRUPTED' }]);
    expect((await scene.run(runId)).endedAt).not.toBeNull();
    expect(await scene.guards()).toEqual([]);
  });
  expect(scene.device.domain('A').phase).toBe('normal');
  expect(listStore(scene.room.store)).toEqual({ published, unlisted: [], missing: [], incoming: [] });
}, 90_000);

it('a server that is told to stop first undoes all it did, and leaves no process', async () => {
  const placed = [
    { kind: export_, operation: 'do-backup' },
    { kind: 'quiesced-secure', operation: 'get-file' },
  ].map(({ kind, operation }) => ({ operation, ...ofKind(kind, `at-${operation}`) }));
  await using cluster = await beginCluster({
    devices: placed.map(({ device }) => device),
    plans: placed.map(({ plan }) => plan),
  });
  const node = await cluster.startNode('a');
  for (const { operation, plan } of placed) {
    cluster.fleet.orderFault({ kind: 'stall', operation }, plan.name);
    good(await node.client.runPlan({ params: { name: plan.name }, body: {} }));
  }
  await cluster.until(() => {
    for (const { plan } of placed) expect(cluster.fleet.device(plan.name).view().openFaults).toEqual([]);
  });
  const toldAt = Date.now();
  expect(await node.end('SIGTERM'), node.log()).toEqual({ code: 0, signal: null });
  const endedAfterMs = Date.now() - toldAt;
  expect(cluster.room.processes()).toEqual([]);
  expect(await cluster.query('select * from device_guard where released_at is null')).toEqual([]);
  await cluster.startNode('a');
  await untilSettled(cluster);
  await expectOrder(cluster);
  console.log(
    `told to stop with ${placed.length} devices quiesced: ended after ${endedAfterMs} ms, 0 left quiesced`,
  );
}, 90_000);
