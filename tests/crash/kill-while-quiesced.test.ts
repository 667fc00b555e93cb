import { describe, expect, it } from 'vitest';
import { beginScene, type Scene } from './testing/begin-scene.ts';
import { listStore } from './testing/list-store.ts';

/** From the start of the process to the unquiesce that the device gets. */
const TAKE_OVER_MS = 10_000;
/** As the scene sets quiesce.settleSeconds. */
const SETTLE_MS = 3_000;

/** `kill -9` of the server alone: its PostgreSQL lives on and is adopted by the next one. */
async function crash({ server }: Scene): Promise<void> {
  expect(await server.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
}

function killPostgres({ room }: Scene): void {
  const servers = room.processes().filter(({ command }) => command.includes('postgres'));
  expect(servers).not.toEqual([]);
  // The children end with their parent, some of them before their turn comes.
  for (const { pid } of servers) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** How long after the start of the server the device was asked to. */
async function askedAfterMs(scene: Scene, operation: string): Promise<number> {
  const { startedAt } = scene.server;
  const entry = await scene.until(() => {
    const [first] = scene.requestsSince(startedAt, operation);
    if (first === undefined) throw new Error(`no ${operation} since the restart`);
    return first;
  });
  return Date.parse(entry.at) - startedAt;
}

async function expectUnquiescedInTime(scene: Scene, operation: string): Promise<void> {
  const afterMs = await askedAfterMs(scene, operation);
  console.log(`${expect.getState().currentTestName}: ${operation} ${afterMs} ms after the start`);
  expect(afterMs).toBeLessThanOrEqual(TAKE_OVER_MS);
  await scene.until(() => expect(scene.device.domain('A').phase).toBe('normal'));
}

/** Run and task have ended as failed, and nothing of them is left anywhere; `kept` is what earlier runs published. */
async function expectNothingLeft(scene: Scene, runId: string, kept: readonly string[] = []): Promise<void> {
  const run = await scene.until(async () => {
    const seen = await scene.run(runId);
    expect(seen.endedAt).not.toBeNull();
    return seen;
  });
  const tasks = await scene.tasks(runId);
  expect(tasks).toMatchObject([{ status: 'FAILED', reasonCode: 'INTERRUPTED', files: [] }]);
  expect(run.status).toBe('FAILED');
  expect(await scene.guards()).toEqual([]);
  expect(scene.device.domain('A').phase).toBe('normal');
  expect(scene.device.view().temporaryFiles).toEqual([]);
  expect(listStore(scene.room.store)).toEqual({ published: kept, unlisted: [], incoming: [] });
}

/** An export that arrives so slowly that it is still on its way, and in part in the store. */
async function startSlowExport(scene: Scene): Promise<string> {
  scene.fleet.orderFault({ kind: 'trickle', operation: 'do-backup', bytes: 64, everyMs: 50 });
  const runId = await scene.startRun('export');
  await scene.until(() => expect(listStore(scene.room.store).incoming).toHaveLength(3));
  expect(scene.device.domain('A').phase).toBe('quiesced');
  return runId;
}

describe('a server that is killed while a device is quiesced, and started again', () => {
  it('unquiesces the domain whose export was on its way, and keeps no part of it', async () => {
    await using scene = await beginScene();
    const runId = await startSlowExport(scene);
    await crash(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId);
  });

  it('unquiesces a domain whose device had not sent the first byte of the export', async () => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'stall', operation: 'do-backup' });
    const asked = scene.nextArrival('do-backup');
    const runId = await scene.startRun('export');
    await asked;
    await crash(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId);
  });

  it('unquiesces a domain that had not come to rest yet', async () => {
    await using scene = await beginScene({ quiesce: { quiesceMs: 3_600_000 } });
    const runId = await scene.startRun('export');
    await scene.until(() => expect(scene.device.domain('A').phase).toBe('quiescing'));
    await crash(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId);
  });

  it('unquiesces a domain whose quiesce was carried out and never answered', async () => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'trickle', operation: 'DomainQuiesce', bytes: 1, everyMs: 60_000 });
    const runId = await scene.startRun('export');
    await scene.until(() => expect(scene.device.domain('A').phase).toBe('quiesced'));
    await crash(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId);
  });

  it('unquiesces a domain whose quiesce lands only after the new server has seen it running', async () => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'stall', operation: 'DomainQuiesce' });
    const asked = scene.nextArrival('DomainQuiesce');
    const runId = await scene.startRun('export');
    await asked;
    await crash(scene);
    await scene.restart();
    await askedAfterMs(scene, 'get-status');
    scene.device.change({ domains: [{ name: 'A', isQuiesced: true }] });
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId);
  });

  it('sends no unquiesce for a quiesce that never landed, once it can no longer land', async () => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'stall', operation: 'DomainQuiesce' });
    const asked = scene.nextArrival('DomainQuiesce');
    const runId = await scene.startRun('export');
    await asked;
    await crash(scene);
    await scene.restart();
    const lookedAfterMs = await askedAfterMs(scene, 'get-status');
    expect(await scene.guards()).toMatchObject([{ device: 'dp1', domain: 'A', quiescedAt: null }]);
    await expectNothingLeft(scene, runId);
    const [task] = await scene.tasks(runId);
    const endedAfterMs = Date.parse(task?.endedAt ?? '') - scene.server.startedAt;
    expect(endedAfterMs - lookedAfterMs).toBeGreaterThanOrEqual(SETTLE_MS - 500);
    expect(scene.requestsSince(0, 'DomainUnquiesce')).toEqual([]);
  });

  it('unquiesces a device whose secure backup was being fetched, and removes it from the device', async () => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'stall', operation: 'get-file', skip: 2 });
    const runId = await scene.startRun('secure');
    await scene.until(() => expect(scene.requestsSince(0, 'get-file').at(-1)?.outcome).toBe('stall'));
    expect(scene.device.domain('A').phase).toBe('quiesced');
    expect(scene.device.view().temporaryFiles).not.toEqual([]);
    expect(listStore(scene.room.store).incoming).not.toEqual([]);
    await crash(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'UnquiesceDP');
    await expectNothingLeft(scene, runId);
    expect(scene.requestsSince(scene.server.startedAt, 'RemoveDir')).toMatchObject([{ outcome: 'ok' }]);
  });

  it('unquiesces a device that is still writing its secure backup, and removes what it wrote since', async () => {
    await using scene = await beginScene({ secureBackup: { isAsync: true, durationMs: 4_000 } });
    const runId = await scene.startRun('secure');
    await scene.until(() => expect(scene.requestsSince(0, 'SecureBackup')).toHaveLength(1));
    await crash(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'UnquiesceDP');
    await expectNothingLeft(scene, runId);
  });

  it('does so too when PostgreSQL was killed with it, and keeps the backup taken before', async () => {
    await using scene = await beginScene();
    const earlierId = await scene.startRun('export');
    await scene.until(async () => expect((await scene.run(earlierId)).status).toBe('SUCCEEDED'));
    const { published } = listStore(scene.room.store);
    expect(published).toHaveLength(1);
    const runId = await startSlowExport(scene);
    await crash(scene);
    killPostgres(scene);
    await scene.restart();
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId, published);
  });

  it('goes on when it is killed once more in the middle of undoing', async () => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'unquiesce-never' });
    const runId = await startSlowExport(scene);
    await crash(scene);
    await scene.restart();
    await scene.until(() => expect(scene.device.domain('A').phase).toBe('unquiescing'));
    await crash(scene);
    await scene.restart();
    await askedAfterMs(scene, 'get-status');
    expect(await scene.guards()).toMatchObject([{ device: 'dp1', domain: 'A', hasOwner: true }]);
    scene.device.change({ domains: [{ name: 'A', isQuiesced: false }] });
    await expectNothingLeft(scene, runId);
  });

  it('unquiesces a device that is away at first as soon as it is back', async () => {
    await using scene = await beginScene();
    const runId = await startSlowExport(scene);
    scene.device.change({ isDown: true });
    await crash(scene);
    await scene.restart();
    expect(await scene.guards()).toMatchObject([{ device: 'dp1', domain: 'A' }]);
    scene.device.change({ isDown: false });
    await expectUnquiescedInTime(scene, 'DomainUnquiesce');
    await expectNothingLeft(scene, runId);
  });
});

describe('a server that is told to stop', () => {
  it.each([
    ['a domain whose export is on its way', 'export', 'do-backup', 'DomainUnquiesce'],
    ['a device whose secure backup is being fetched', 'secure', 'get-file', 'UnquiesceDP'],
  ])('first unquiesces %s, and leaves no process', async (_, plan, download, unquiesce) => {
    await using scene = await beginScene();
    scene.fleet.orderFault({ kind: 'stall', operation: download });
    const asked = scene.nextArrival(download);
    const runId = await scene.startRun(plan);
    await asked;
    expect(scene.device.domain('A').phase).toBe('quiesced');
    const toldAt = Date.now();
    expect(await scene.server.end('SIGTERM'), scene.server.log()).toEqual({ code: 0, signal: null });
    console.log(`${expect.getState().currentTestName}: ended after ${Date.now() - toldAt} ms`);
    expect(scene.requestsSince(toldAt, unquiesce)).toMatchObject([{ outcome: 'ok' }]);
    expect(scene.device.domain('A').phase).toBe('normal');
    expect(scene.device.view().temporaryFiles).toEqual([]);
    expect(scene.room.processes()).toEqual([]);
    expect(listStore(scene.room.store)).toEqual({ published: [], unlisted: [], incoming: [] });
    await scene.restart();
    await expectNothingLeft(scene, runId);
  });
});
