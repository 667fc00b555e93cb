import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Attempt } from '../app/ports.ts';
import { ago, ReconcilerScene } from '../testing/reconciler-scene.ts';

let scene: ReconcilerScene;

beforeAll(async () => {
  scene = await ReconcilerScene.open();
});
beforeEach(() => scene.clear());
afterAll(() => scene.close());

describe('whose guard it is', () => {
  it.each(['WAITING', 'RUNNING'] as const)('a task that is %s keeps its own', async (status) => {
    const device = await scene.guarded({ A: 'quiesced' }, { status, leftMs: null });
    await scene.reconcile();
    expect(await scene.reconcilerOf().workOnNow(await scene.guardId())).toBe('busy');
    expect(device.asked).toEqual([]);
    expect(await scene.guards()).toEqual(['QA1 open']);
  });

  it('a task that gave up undoing leaves it, though it still has a script to run', async () => {
    const device = await scene.guarded({ A: 'quiesced' }, { status: 'RUNNING', leftMs: 0 });
    await scene.reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it.each(['SUCCEEDED', 'FAILED', 'CANCELLED'] as const)('a task that has %s leaves it', async (status) => {
    const device = await scene.guarded({ A: 'quiesced' }, { status, leftMs: null });
    await scene.reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it.each([
    [299, [], ['unquiesce A']],
    [301, ['unquiesce A'], ['unquiesce A']],
  ])(
    'a task that has been parked for %i s: the round asks %j, an operator at once %j',
    async (seconds, asked, askedNow) => {
      const device = await scene.guarded({ A: 'quiesced' }, { status: 'RUNNING', leftMs: null });
      await scene.db
        .insertInto('alarm')
        .values({
          id: randomUUID(),
          code: 'TASK_PARKED',
          subject_kind: 'task',
          subject_name: device.taskId,
          sentence: 'It does not go on.',
          opened_at: ago(seconds * 1000),
          last_seen_at: ago(0),
          seen_by: 'node-1',
        })
        .execute();
      await scene.reconcile();
      expect(device.asked).toEqual(asked);
      await scene.reconcilerOf().workOnNow(await scene.guardId());
      expect(device.asked).toEqual(askedNow);
    },
  );
});

describe('unquiescing now', () => {
  it('does not wait for the pause to end', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await scene.reconcile();
    expect(await scene.reconcile()).toEqual([]);
    expect(await scene.reconcilerOf().workOnNow(await scene.guardId())).toMatchObject({ isSent: true });
    expect(device.asked).toHaveLength(2);
  });

  it('answers the try that goes on, and does not begin another beside it', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    const reconciler = scene.reconcilerOf();
    let asking: Promise<Attempt | 'busy'> | undefined;
    const id = await scene.guardId();
    device.beforeLook = async () => {
      asking = reconciler.workOnNow(id);
      await Promise.race([asking, scene.db.selectFrom('node').selectAll().execute()]);
    };
    const [attempt] = await Promise.all(await reconciler.reconcile());
    expect(await asking).toEqual(attempt);
    expect(device.asked).toEqual(['unquiesce A']);
  });
});

describe('several nodes', () => {
  const other = randomUUID();

  it('keep one pace together', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isStubborn = true;
    for (let round = 0; round < 7; round += 1) {
      await scene.reconcile(scene.node);
      await scene.reconcile(other);
      await scene.pass(5_000);
    }
    expect(device.asked).toHaveLength(7);
  });

  it('do not work on one guard at once, until the one that began has been silent for a minute', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    let beside: Attempt[] = [];
    device.beforeLook = async () => {
      device.beforeLook = async () => undefined;
      await scene.pass(59_000);
      beside = await scene.reconcile(other);
      expect(await scene.reconcilerOf(other).workOnNow(await scene.guardId())).toBe('busy');
      await scene.pass(1_001);
      beside.push(...(await scene.reconcile(other)));
    };
    const late = await scene.reconcile(scene.node);
    expect(beside).toMatchObject([{ isSent: true }]);
    expect(late).toMatchObject([{ isSent: false, isReleased: false }]);
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it('leave it to the others when they stood still with a look in hand, and send nothing', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.afterLook = () => {
      scene.elapsed += 42_001;
    };
    expect(await scene.reconcile(scene.node)).toMatchObject([
      { isSent: false, problem: 'This node stood still; another may be at it.' },
    ]);
    expect(device.asked).toEqual([]);
    device.afterLook = () => undefined;
    await scene.pass(60_000);
    await scene.reconcile(other);
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it('that come back from the dead take up at once what they held', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    await scene.db
      .updateTable('device_guard')
      .set({ reconciled_by: scene.node, reconciled_until: ago(-30_000) })
      .execute();
    expect(await scene.reconcile(scene.node)).toEqual([]);
    await scene.reconcilerOf(other).start();
    expect(await scene.reconcile(scene.node)).toEqual([]);
    await scene.reconcilerOf().start();
    await scene.reconcile(scene.node);
    expect(device.asked).toEqual(['unquiesce A']);
  });

  it('that come at the same moment leave one of them the guard', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await Promise.all(
      [scene.node, other, randomUUID(), randomUUID()].map((nodeId) => scene.reconcile(nodeId)),
    );
    expect(device.asked).toEqual(['unquiesce A']);
  });
});

describe('a node that may not act', () => {
  const mayNotAct = 'This node may not act: it could not show the others that it lives.';

  it('takes no guard, and says why when one is asked for', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    scene.mayActForMs = 0;
    expect(await scene.reconcile()).toEqual([]);
    expect(await scene.reconcilerOf().workOnNow(await scene.guardId())).toEqual({
      seen: [],
      isSent: false,
      isReleased: false,
      problem: mayNotAct,
    });
    expect(device.asked).toEqual([]);
    scene.mayActForMs = 7_000;
    expect(await scene.reconcile()).toMatchObject([{ isSent: true }]);
  });

  it('and finds it out with a guard in hand, leaves it to the others as it was', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isAway = true;
    for (let failure = 0; failure < 3; failure += 1) await scene.reconcileLater();
    device.isAway = false;
    device.isFenced = true;
    expect(await scene.reconcileLater()).toMatchObject([{ problem: 'Nothing may be sent.' }]);
    expect(await scene.guards()).toEqual(['QA1 open Nobody answers.']);
    const { attempts } = await scene.db
      .selectFrom('device_guard')
      .select('attempts')
      .executeTakeFirstOrThrow();
    expect(attempts).toBe(3);
    device.isFenced = false;
    expect(await scene.reconcile(randomUUID())).toMatchObject([{ isSent: true }]);
  });
});

describe('a try that outlasts its claim', () => {
  it('is not begun anew by its own node, and keeps it from stopping', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    const [reconciler, id] = [scene.reconcilerOf(), await scene.guardId()];
    const answer = Promise.withResolvers<void>();
    device.beforeLook = () => answer.promise;
    const [first] = await reconciler.reconcile();
    await scene.pass(61_000);
    expect(await reconciler.reconcile()).toEqual([]);
    const asked = reconciler.workOnNow(id);
    const stopped = reconciler.stop();
    expect(await Promise.race([stopped, scene.db.selectFrom('node').selectAll().execute()])).toEqual([]);
    answer.resolve();
    await stopped;
    expect(await asked).toEqual(await first);
    expect(device.asked).toEqual([]);
  });

  it('changes nothing of what another node has under way', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    const other = randomUUID();
    const [early, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    device.isStubborn = true;
    const replies = [early.promise, late.promise];
    device.beforeReply = () => replies.shift() ?? Promise.resolve();
    const [first] = await scene.reconcilerOf().reconcile();
    await device.hasAsked(1);
    await scene.pass(61_000);
    const [second] = await scene.reconcilerOf(other).reconcile();
    await device.hasAsked(2);
    early.resolve();
    await first;
    const { sending_at: sendingAt, reconciled_by: by } = await scene.db
      .selectFrom('device_guard')
      .selectAll()
      .executeTakeFirstOrThrow();
    expect([by, sendingAt === null]).toEqual([other, false]);
    late.resolve();
    await second;
  });

  it('closes nothing by what it saw before it stood still', async () => {
    const device = await scene.guarded({ A: 'normal' });
    device.afterLook = () => {
      scene.elapsed += 42_001;
    };
    expect(await scene.reconcile()).toMatchObject([{ isReleased: false }]);
    expect(await scene.guards()).toEqual(['QA1 open']);
  });
});

describe('a task that has not ended', () => {
  it('is told that what it left was seen running, in the transaction that closes its guard', async () => {
    const device = await scene.guarded({ A: 'normal' }, { status: 'RUNNING' });
    scene.isTellingBroken = true;
    await expect(scene.reconcile()).rejects.toThrow('the power went');
    expect(await scene.guards()).toEqual(['QA1 open']);
    scene.isTellingBroken = false;
    await scene.reconcilerOf().start();
    expect(await scene.reconcileLater()).toMatchObject([{ isReleased: true }]);
    expect(scene.told).toEqual([{ taskId: device.taskId, command: { type: 'released' } }]);
  });
});
