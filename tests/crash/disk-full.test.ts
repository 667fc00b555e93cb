import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import type { Run, Task } from '../../packages/contract/src/index.ts';
import { type Fleet, startFleet } from '../../packages/simulator/src/index.ts';
import type { FullDiskReport } from './testing/back-up-to-full-disk.ts';
import { cleanEnvironment } from './testing/clean-environment.ts';
import { good } from './testing/good.ts';
import { listStore } from './testing/list-store.ts';
import { makeRoom, type Room } from './testing/make-room.ts';
import { SmallDisk } from './testing/small-disk.ts';
import { type ServerProcess, startServerProcess } from './testing/start-server-process.ts';
import { wordsForOwnMounts, wordsForSmallDisk } from './testing/under-small-disk.ts';

const program = fileURLToPath(new URL('./testing/back-up-to-full-disk.ts', import.meta.url));

describe('movers on a disk that is full', () => {
  it('tell it at every 4 KiB, leave and publish nothing, and need no room to give a backup up', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stillpoint-full-'));
    const [command, ...args] = [...wordsForOwnMounts(), process.execPath, program, folder];
    const child = spawn(command, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
    const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    rmdirSync(folder);
    expect(status).toBe(0);
    const { tighter, givenUp } = JSON.parse(said);
    for (const [what, { enough, codes, wrongs, takenAgain }] of Object.entries<FullDiskReport>(tighter)) {
      console.log(`R-03: ${what}: ${enough} steps failed, ${wrongs.length} wrong, ${takenAgain} taken again`);
      expect(wrongs).toEqual([]);
      expect(codes).toEqual({ STORE_OUT_OF_SPACE: enough });
      expect(enough).toBeGreaterThan(4);
    }
    expect(Object.keys(tighter)).toHaveLength(4);
    expect(givenUp).toEqual({ export: ['ok', 'ok'], 'secure-backup': ['ok', 'ok'] });
  });
});

const DEVICE = 'dp1';
const password = 'a password nobody may see';

/** A server whose store is on a small disk, which only its processes see, and a device with one large domain and two small ones. */
class FullScene implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly room: Room;
  readonly server: ServerProcess;

  private constructor(fleet: Fleet, room: Room, server: ServerProcess) {
    this.fleet = fleet;
    this.room = room;
    this.server = server;
  }

  static async begin(): Promise<FullScene> {
    const domains = [{ name: 'A', sizeBytes: 180_000 }, { name: 'B' }, { name: 'C' }];
    const fleet = await startFleet({ devices: [{ name: DEVICE, password, domains }] });
    const room = makeRoom();
    try {
      const within = wordsForSmallDisk(room.store, 2 * 1024 * 1024);
      const scene = new FullScene(fleet, room, await startServerProcess({ ...room, within }));
      mkdirSync(scene.storeSeenFromHere);
      good(await scene.server.client.applyDocument({ body: scene.#document(), query: {} }));
      good(await scene.server.client.initStore());
      return scene;
    } catch (error) {
      await room.dispose();
      await fleet.stop();
      throw error;
    }
  }

  get disk(): SmallDisk {
    return new SmallDisk(`/proc/${this.server.pid}/root${this.room.store}`);
  }

  get storeSeenFromHere(): string {
    return join(`/proc/${this.server.pid}/root${this.room.store}`, 'store');
  }

  /** Runs a plan to its end; one line for each task tells domain, state and code. */
  async outcomeOf(plan: string): Promise<{ run: Run; tasks: Task[]; lines: string[] }> {
    const { client } = this.server;
    const { id } = good(await client.runPlan({ params: { name: plan }, body: {} }));
    const run = await vi.waitFor(
      async () => {
        const seen = good(await client.getRun({ params: { id } }));
        expect(seen.endedAt, this.server.log()).not.toBeNull();
        return seen;
      },
      { timeout: 40_000, interval: 50 },
    );
    const tasks = good(await client.listTasks({ params: { id }, query: {} })).items;
    const lines = tasks.map(({ domain, status, reasonCode }) =>
      [domain, status, reasonCode ?? []].flat().join(' '),
    );
    return { run, tasks, lines };
  }

  /** Nothing of what failed is left anywhere; the domains whose backups are there. */
  async expectOrder(): Promise<string[]> {
    expect(
      this.fleet
        .device(DEVICE)
        .view()
        .domains.map(({ phase }) => phase),
    ).toEqual(Array.from({ length: 4 }, () => 'normal'));
    expect(good(await this.server.client.listGuards()).items).toEqual([]);
    const { published, ...others } = listStore(this.storeSeenFromHere);
    expect(others).toEqual({ unlisted: [], missing: [], incoming: [] });
    const { items } = good(await this.server.client.listBackups({ query: { device: DEVICE } }));
    expect(items.flatMap(({ files }) => files.map(({ path }) => path)).sort()).toEqual(published.toSorted());
    return published.map((path) => path.split('/')[2] ?? '').sort();
  }

  #document() {
    const { host, port, certificateSha256 } = this.fleet.device(DEVICE).address;
    const exportDomain = { devices: DEVICE, domains: '*,!default', quiesce: true };
    return {
      parameters: {
        'store.path': join(this.room.store, 'store'),
        'store.requireRemoteMount': false,
        'store.minFreePercent': 0,
        'quiesce.pollMs': 100,
        'quiesce.settleSeconds': 1,
      },
      devices: [
        { name: DEVICE, host, somaPort: port, username: 'admin', password, tls: { pin: certificateSha256 } },
      ],
      plans: (['ignore', 'halt'] as const).map((defaultErrorPolicy) => ({
        name: defaultErrorPolicy,
        window: 'none' as const,
        defaultErrorPolicy,
        activities: [{ exportDomain }],
      })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.room.dispose();
    await this.fleet.stop();
  }
}

describe('a server whose store is full', () => {
  it('fails the task with its code, sets the device moving, keeps nothing, and goes on as the policy says', async () => {
    await using scene = await FullScene.begin();
    scene.disk.leaveBlocks(24);
    const ignoring = await scene.outcomeOf('ignore');
    expect(ignoring.lines).toEqual(['A FAILED STORE_OUT_OF_SPACE', 'B SUCCEEDED', 'C SUCCEEDED']);
    expect(ignoring.run.status).toBe('PARTIAL');
    expect(await scene.expectOrder()).toEqual(['B', 'C']);

    const halting = await scene.outcomeOf('halt');
    const byPolicy = 'CANCELLED EXECUTION_CANCELED_BECAUSE_ERROR_POLICY';
    expect(halting.lines).toEqual(['A FAILED STORE_OUT_OF_SPACE', `B ${byPolicy}`, `C ${byPolicy}`]);
    expect(halting.run.status).toBe('FAILED');
    expect(await scene.expectOrder()).toEqual(['B', 'C']);

    scene.disk.empty();
    const { lines } = await scene.outcomeOf('halt');
    expect(lines).toEqual(['A SUCCEEDED', 'B SUCCEEDED', 'C SUCCEEDED']);
    expect(await scene.expectOrder()).toEqual(['A', 'B', 'B', 'C', 'C']);
  });
});
