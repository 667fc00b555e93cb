import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Attempt } from '../app/ports.ts';
import { ago, ReconcilerScene } from '../testing/reconciler-scene.ts';
import type { Reconciler } from './reconciler.ts';

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
    let asking: ReturnType<Reconciler['workOnNow']> | undefined;
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
