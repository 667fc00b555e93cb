import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ago, ReconcilerScene, SETTLE_MS } from '../testing/reconciler-scene.ts';

let scene: ReconcilerScene;

beforeAll(async () => {
  scene = await ReconcilerScene.open();
});
beforeEach(() => scene.clear());
afterAll(() => scene.close());

describe('a guard without an owner', () => {
  it('is worked on until the device is seen running, and then released', async () => {
    const device = await scene.guarded({ default: 'normal', A: 'quiesced' });
    const seen = [{ domain: 'A', quiesceState: 'quiesced' }];
    expect(await scene.reconcile()).toEqual([{ seen, isSent: true, isReleased: false, problem: null }]);
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await scene.guards()).toEqual(['QA1 open']);
    await scene.pass(5_000);
    expect(await scene.reconcile()).toEqual([{ seen: [], isSent: false, isReleased: true, problem: null }]);
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await scene.guards()).toEqual(['QA1 released']);
    expect(await scene.reconcileLater()).toEqual([]);
  });

  it('outlives a device that stays away for long, with the reason beside it', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isAway = true;
    for (let day = 0; day < 30; day += 1) {
      await scene.pass(86_400_000);
      await scene.reconcile();
    }
    expect(await scene.guards()).toEqual(['QA1 open Nobody answers.']);
    device.isAway = false;
    await scene.reconcileLater();
    expect(await scene.guards()).toEqual(['QA1 open']);
    await scene.reconcileLater();
    expect(device.asked).toEqual(['unquiesce A']);
    expect(await scene.guards()).toEqual(['QA1 released']);
  });

  it('is tried less and less often while its device stays away, and at least once a minute', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isAway = true;
    const triedAtSeconds: number[] = [];
    for (let seconds = 0; seconds <= 260; seconds += 5) {
      const [attempt] = await scene.reconcile();
      if (attempt !== undefined) triedAtSeconds.push(seconds);
      await scene.pass(5_000);
    }
    expect(triedAtSeconds).toEqual([0, 5, 15, 35, 75, 135, 195, 255]);
  });

  it('stays open while the device takes the request and does nothing', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await scene.reconcile();
    await scene.reconcileLater();
    expect(device.asked).toEqual(['unquiesce A', 'unquiesce A']);
    expect(await scene.guards()).toEqual(['QA1 open']);
  });

  it.each(['quiescing', 'quiesced', 'unquiescing', 'error'] as const)(
    'is not released on "%s"',
    async (state) => {
      const device = await scene.guarded({ A: state });
      device.isStubborn = true;
      await scene.reconcile();
      expect(await scene.guards()).toEqual(['QA1 open']);
    },
  );

  it('is not released before a request of its task that was lost can no longer land', async () => {
    const device = await scene.guarded({ A: 'normal' }, { leftMs: SETTLE_MS - 20_000 });
    await scene.reconcile();
    expect(await scene.guards()).toEqual(['QA1 open']);
    device.domains.set('A', 'quiesced');
    await scene.pass(5_000);
    await scene.reconcile();
    expect(device.asked).toEqual(['unquiesce A']);
    await scene.reconcileLater();
    expect(await scene.guards()).toEqual(['QA1 released']);
  });

  it('is not released before an unquiesce whose reply was lost can no longer land', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.losesReplies = true;
    expect(await scene.reconcile()).toMatchObject([{ isSent: false, problem: 'The reply never came.' }]);
    await scene.pass(30_000);
    expect(await scene.reconcile()).toMatchObject([{ seen: [], isReleased: false, problem: null }]);
    await scene.pass(SETTLE_MS - 20_000);
    expect(await scene.reconcile()).toMatchObject([{ isReleased: true }]);
  });

  it('of a node that died between intent and outcome counts as one whose reply was lost', async () => {
    await scene.guarded({ A: 'normal' });
    await scene.db
      .updateTable('device_guard')
      .set({ sending_at: ago(1_000) })
      .execute();
    expect(await scene.reconcile()).toMatchObject([{ isReleased: false }]);
    // It may be under way for two minutes, and land for another.
    await scene.pass(115_000 + SETTLE_MS);
    expect(await scene.reconcile()).toMatchObject([{ isReleased: false }]);
    await scene.pass(5_000);
    expect(await scene.reconcile()).toMatchObject([{ isReleased: true }]);
  });

  it('is not put off for ever when the clock of the database is put back by a day', async () => {
    const device = await scene.guarded({ A: 'quiesced' });
    device.isStubborn = true;
    await scene.reconcile();
    await scene.pass(-86_400_000);
    expect(await scene.reconcile()).toMatchObject([{ isSent: true }]);
    device.isStubborn = false;
    await scene.reconcileLater();
    await scene.reconcileLater();
    await scene.reconcileLater();
    expect(await scene.guards()).toEqual(['QA1 released']);
  });

  it('of a whole device is worked on by unquiescing the device, and default does not count', async () => {
    const device = await scene.guarded(
      { default: 'quiesced', A: 'normal', B: 'quiesced' },
      { scope: { kind: 'device' } },
    );
    await scene.reconcile();
    expect(device.asked).toEqual(['unquiesce device']);
    device.domains.set('default', 'error');
    await scene.reconcileLater();
    expect(await scene.guards()).toEqual(['QA1 released']);
  });

  it('of one domain leaves what somebody else quiesced beside it alone', async () => {
    const device = await scene.guarded({ A: 'normal', B: 'quiesced' });
    await scene.reconcile();
    expect(device.asked).toEqual([]);
    expect(device.domains.get('B')).toBe('quiesced');
    expect(await scene.guards()).toEqual(['QA1 released']);
  });

  it('of a domain that was removed from the device is released', async () => {
    await scene.guarded({ default: 'normal' });
    await scene.reconcile();
    expect(await scene.guards()).toEqual(['QA1 released']);
  });

  it('of one device is worked on while another is away', async () => {
    const [away, there] = [
      await scene.guarded({ A: 'quiesced' }),
      await scene.guarded({ A: 'quiesced' }, { name: 'QA2' }),
    ];
    away.isAway = true;
    await scene.reconcile();
    await scene.reconcileLater();
    expect(there.asked).toEqual(['unquiesce A']);
    expect(await scene.guards()).toEqual(['QA1 open Nobody answers.', 'QA2 released']);
  });
});
