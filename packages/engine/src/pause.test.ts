import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { pause } from './pause.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { WakeUp } from './wake-up.ts';

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that counts the timers that are set. */
class CountingClock extends ManualClock {
  timers = 0;

  override after(ms: number, wake: () => void): () => void {
    this.timers += 1;
    const callOff = super.after(ms, wake);
    return () => {
      this.timers -= 1;
      callOff();
    };
  }
}

/** One pause: what may end it, and how it stands. */
function begin() {
  const clock = new CountingClock();
  const stop = new AbortController();
  const seen = { isOver: false, listeners: () => getEventListeners(stop.signal, 'abort').length };
  const over = (): void => {
    seen.isOver = true;
  };
  return { clock, stop, seen, over };
}

it.each([
  ['time passes', ({ clock }: ReturnType<typeof begin>) => clock.pass(1_000)],
  ['the signal aborts', ({ stop }: ReturnType<typeof begin>) => stop.abort()],
])('a pause is over when %s, and leaves nothing behind', async (_how, come) => {
  const all = begin();
  void pause(all.clock, 1_000, all.stop.signal).then(all.over);
  all.clock.pass(999);
  await rest();
  expect([all.seen.isOver, all.clock.timers, all.seen.listeners()]).toEqual([false, 1, 1]);
  come(all);
  await rest();
  expect([all.seen.isOver, all.clock.timers, all.seen.listeners()]).toEqual([true, 0, 0]);
});

it('a pause with a signal that has aborted is over at once', async () => {
  const { clock, stop } = begin();
  stop.abort();
  await pause(clock, 1_000, stop.signal);
  expect(clock.timers).toBe(0);
});

it('sleepers are woken by their name, and no others', async () => {
  const { clock, stop, seen } = begin();
  const wakeUp = new WakeUp(clock);
  const woken: string[] = [];
  for (const name of ['one', 'one', 'other'])
    void wakeUp.sleep(name, 1_000, stop.signal).then(() => woken.push(name));
  wakeUp.wake('nobody');
  wakeUp.wake('one');
  await rest();
  expect([woken, clock.timers, seen.listeners()]).toEqual([['one', 'one'], 1, 1]);
  wakeUp.wake('one');
  stop.abort();
  await rest();
  expect([woken, clock.timers, seen.listeners()]).toEqual([['one', 'one', 'other'], 0, 0]);
});
