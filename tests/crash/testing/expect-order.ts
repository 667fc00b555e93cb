import { expect } from 'vitest';
import type { Cluster } from './begin-cluster.ts';
import { listStore, readManifests } from './list-store.ts';

type TaskRow = { id: string; device: string; status: string; began_at: number | null; ended_at: number };

/** Waits until nothing is going on any more: every run and task has ended and every guard is closed. */
export async function untilSettled(cluster: Cluster, timeoutMs?: number): Promise<void> {
  await cluster.until(async () => {
    expect(await cluster.query('select id, program from journal_subject where not is_ended')).toEqual([]);
    expect(await cluster.query('select device, task_id from device_guard where released_at is null')).toEqual(
      [],
    );
  }, timeoutMs);
}

/**
 * To be called when nothing is going on: no device is quiesced and none holds what a backup left there, every run and
 * task has exactly one end, no two tasks worked on one device at a time, and store, manifests, catalogue and what the
 * devices served tell of the same files.
 */
export async function expectOrder(cluster: Cluster): Promise<{ runs: number; tasks: number; files: number }> {
  expectFleetAtRest(cluster);
  const runs = await expectOneEndEach(cluster);
  const tasks = await cluster.query<TaskRow>(taskRows);
  expectOneAtATime(tasks);
  const files = await expectStoreAndCatalogueAgree(cluster, tasks);
  return { runs, tasks: tasks.length, files };
}

function expectFleetAtRest({ fleet }: Cluster): void {
  const views = fleet.devices.map(({ name }) => fleet.device(name).view());
  const held = views.flatMap(({ name, domains }) =>
    domains.filter(({ phase }) => phase !== 'normal').map((domain) => `${name}/${domain.name}`),
  );
  expect(held, 'domains that were left quiesced').toEqual([]);
  const left = views.flatMap(({ name, temporaryFiles }) => temporaryFiles.map((path) => `${name} ${path}`));
  expect(left, 'files that were left in temporary:').toEqual([]);
}

async function expectOneEndEach(cluster: Cluster): Promise<number> {
  const open = `select id, status from (select id, status from run union all select id, status from task) as ended
    where status not in ('SUCCEEDED', 'PARTIAL', 'FAILED', 'SKIPPED', 'CANCELLED')`;
  expect(await cluster.query(open), 'runs and tasks without a final state').toEqual([]);
  const strange = `select s.id from journal_subject s join journal_fact f on f.subject_id = s.id
    group by s.id having count(*) filter (where f.body->>'type' = 'ended') <> 1
    or max(f.seq) <> max(f.seq) filter (where f.body->>'type' = 'ended')`;
  expect(await cluster.query(strange), 'journals that do not end with their only end').toEqual([]);
  const [row] = await cluster.query<{ count: number }>('select count(*)::int4 as count from run');
  return row?.count ?? 0;
}

const taskRows = `select task.id, device, status,
  (select min((body->>'at')::float8) from journal_fact where subject_id = task.id and body->>'type' <> 'told'
    and body->>'type' <> 'ended') as began_at,
  (select max((body->>'at')::float8) from journal_fact where subject_id = task.id and body->>'type' = 'ended') as ended_at
  from task where exists (select from journal_subject where id = task.id) order by began_at`;

function expectOneAtATime(tasks: readonly TaskRow[]): void {
  const endedAt = new Map<string, TaskRow>();
  for (const task of tasks.filter(({ began_at }) => began_at !== null)) {
    const before = endedAt.get(task.device);
    const isAfter = before === undefined || before.ended_at <= (task.began_at ?? 0);
    expect(isAfter, `${task.id} began on ${task.device} before ${before?.id} ended`).toBe(true);
    endedAt.set(task.device, task);
  }
}

async function expectStoreAndCatalogueAgree(cluster: Cluster, tasks: readonly TaskRow[]): Promise<number> {
  const { store } = cluster.room;
  const { published, unlisted, missing, incoming } = listStore(store);
  expect({ unlisted, missing, incoming }).toEqual({ unlisted: [], missing: [], incoming: [] });
  const served = new Set(
    cluster.fleet.log.flatMap(({ device, servedSha256 }) =>
      servedSha256 === undefined ? [] : [`${device} ${servedSha256}`],
    ),
  );
  const manifests = readManifests(store);
  const foreign = manifests.flatMap(({ device, files }) =>
    files.filter(({ sha256 }) => !served.has(`${device.name} ${sha256}`)).map(({ path }) => path),
  );
  expect(foreign, 'published files that their device never served').toEqual([]);
  const rows = await cluster.query<{ task_id: string; path: string; sha256: string }>(
    'select task_id, path, sha256 from backup join backup_file on backup_id = backup.id',
  );
  const onDisk = new Set(
    manifests.flatMap(({ files }) => files.map(({ path, sha256 }) => `${path} ${sha256}`)),
  );
  const lost = rows.filter(({ path, sha256 }) => !onDisk.has(`${path} ${sha256}`));
  expect(lost, 'files of the catalogue that are not in the store').toEqual([]);
  const catalogued = new Set(rows.map(({ task_id }) => task_id));
  const succeeded = tasks.filter(({ status }) => status === 'SUCCEEDED').map(({ id }) => id);
  expect(
    succeeded.filter((id) => !catalogued.has(id)),
    'tasks that succeeded without a backup',
  ).toEqual([]);
  expect(manifests.length).toBe(catalogued.size);
  return published.length;
}
