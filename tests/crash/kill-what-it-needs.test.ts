import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { beginScene, good, type Scene } from './testing/begin-scene.ts';
import { cleanEnvironment } from './testing/clean-environment.ts';
import { listStore } from './testing/list-store.ts';
import { makeRoom, type Room } from './testing/make-room.ts';
import { startServerProcess } from './testing/start-server-process.ts';

/** `kill -9` of the PostgreSQL that a server started. */
function killPostgres({ room }: Scene): void {
  const servers = room.processes().filter(({ command }) => /postgres.* -D /.test(command));
  expect(servers).toHaveLength(1);
  for (const { pid } of servers) process.kill(pid, 'SIGKILL');
}

it('a server whose PostgreSQL is killed again and again in the middle of a task ends the task and undoes its quiesce', async () => {
  await using scene = await beginScene();
  scene.fleet.orderFault({ kind: 'trickle', operation: 'do-backup', bytes: 64, everyMs: 50 });
  const runId = await scene.startRun('export');
  await scene.until(() => expect(listStore(scene.room.store).incoming).toHaveLength(3));
  expect(scene.device.domain('A').phase).toBe('quiesced');
  const { pid } = scene.server;
  const kills = 3;
  for (let kill = 0; kill < kills; kill += 1) {
    await scene.until(() => killPostgres(scene));
    await scene.until(async () => void (await scene.run(runId)));
  }
  const run = await scene.until(async () => {
    const seen = await scene.run(runId);
    expect(seen.endedAt).not.toBeNull();
    return seen;
  });
  await scene.until(async () => expect(await scene.guards()).toEqual([]));
  expect(scene.device.domain('A').phase).toBe('normal');
  const { unlisted, missing, incoming } = listStore(scene.room.store);
  expect({ unlisted, missing, incoming }).toEqual({ unlisted: [], missing: [], incoming: [] });
  expect(scene.room.processes().some((one) => one.pid === pid)).toBe(true);
  console.log(
    `PostgreSQL killed ${kills} times in the middle of a task: the run ended ${run.status}, 0 left quiesced`,
  );
}, 90_000);

const simulator = fileURLToPath(new URL('../../packages/simulator/src/main.ts', import.meta.url));

type SimulatorProcess = { readonly child: ChildProcess; readonly controlUrl: string };

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Starts the fleet of a room; after a kill it has forgotten everything, as appliances that lost their power have. */
async function startSimulator(room: Room): Promise<SimulatorProcess> {
  const child = spawn(process.execPath, [simulator, join(room.work, 'fleet.yaml'), '--ready-json'], {
    cwd: room.work,
    // What it has no time to remove goes with the room.
    env: cleanEnvironment({ TMPDIR: room.work }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, controlUrl: (JSON.parse(line) as { controlUrl: string }).controlUrl };
}

async function killSimulator({ child }: SimulatorProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

type DeviceOfControl = {
  readonly name: string;
  readonly domains: readonly { readonly phase: string }[];
  readonly openFaults: readonly unknown[];
};

async function viewDevices({ controlUrl }: SimulatorProcess): Promise<readonly DeviceOfControl[]> {
  const reply = await fetch(`${controlUrl}/devices`);
  return ((await reply.json()) as { devices: readonly DeviceOfControl[] }).devices;
}

it('appliances that lose their power in the middle of their tasks end them, and the next run succeeds', async () => {
  const faults = ['DomainQuiesce', 'do-backup', 'DomainUnquiesce'];
  const names = faults.map((operation) => `at-${operation}`);
  const ports = await freePorts(names.length);
  const room = makeRoom();
  const devices = (isFaulty: boolean) =>
    names.map((name, index) => ({
      name,
      port: ports[index],
      domains: [{ name: 'A' }],
      faults: isFaulty ? [{ kind: 'stall', operation: faults[index] }] : [],
    }));
  try {
    writeFileSync(join(room.work, 'fleet.yaml'), JSON.stringify({ devices: devices(true) }));
    const before = await startSimulator(room);
    const { client } = await startServerProcess(room);
    const document = {
      parameters: {
        'store.path': room.store,
        'store.requireRemoteMount': false,
        'store.minFreePercent': 0,
        'quiesce.pollMs': 100,
        'quiesce.settleSeconds': 1,
      },
      devices: names.map((name, index) => ({
        name,
        host: '127.0.0.1',
        somaPort: ports[index] ?? 0,
        username: 'admin',
        password: 'admin-password',
        // A fleet that is started again has new certificates.
        tls: { insecure: true as const },
      })),
      plans: [
        {
          name: 'all',
          window: 'none' as const,
          activities: [{ exportDomain: { devices: 'at-*', domains: 'A', quiesce: true } }],
        },
      ],
    };
    good(await client.applyDocument({ body: document, query: {} }));
    good(await client.initStore());
    const runOnce = async (): Promise<string> =>
      good(await client.runPlan({ params: { name: 'all' }, body: {} })).id;
    const endOf = (id: string) =>
      vi.waitFor(
        async () => {
          const run = good(await client.getRun({ params: { id } }));
          expect(run.endedAt).not.toBeNull();
          return run;
        },
        { timeout: 40_000, interval: 50 },
      );
    const first = await runOnce();
    await vi.waitFor(
      async () =>
        expect((await viewDevices(before)).map(({ openFaults }) => openFaults)).toEqual([[], [], []]),
      { timeout: 20_000, interval: 50 },
    );
    await killSimulator(before);
    writeFileSync(join(room.work, 'fleet.yaml'), JSON.stringify({ devices: devices(false) }));
    const after = await startSimulator(room);
    const interrupted = await endOf(first);
    await vi.waitFor(async () => expect(good(await client.listGuards()).items).toEqual([]), {
      timeout: 20_000,
      interval: 50,
    });
    expect((await endOf(await runOnce())).status).toBe('SUCCEEDED');
    const phases = (await viewDevices(after)).flatMap(({ domains }) => domains.map(({ phase }) => phase));
    expect(new Set(phases)).toEqual(new Set(['normal']));
    const { unlisted, missing, incoming } = listStore(room.store);
    expect({ unlisted, missing, incoming }).toEqual({ unlisted: [], missing: [], incoming: [] });
    console.log(
      `appliances killed with ${names.length} tasks in flight: the run ended ${interrupted.status}, the next SUCCEEDED, 0 left quiesced`,
    );
  } finally {
    await room.dispose();
  }
}, 90_000);
