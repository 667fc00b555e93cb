import { systemClock } from '@stillpoint/engine';
import { expect, it } from 'vitest';
import { AlarmWatch } from './alarm-watch.ts';

/** A watch whose looks end when they are told to. */
function watch() {
  const looks: PromiseWithResolvers<void>[] = [];
  const alarms = new AlarmWatch({
    lookForAlarms() {
      const look = Promise.withResolvers<void>();
      looks.push(look);
      return look.promise;
    },
    clock: systemClock,
    onProblem: (error) => {
      throw error;
    },
  });
  return { alarms, looks };
}

it('a look that is asked for while one goes on follows it', async () => {
  const { alarms, looks } = watch();
  const [first, second] = [alarms.look(), alarms.look()];
  expect(looks).toHaveLength(1);
  looks[0]?.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(looks).toHaveLength(2);
  looks[1]?.resolve();
  await Promise.all([first, second]);
});

it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a look that is asked for %i breaths after one ended is not lost',
  async (breaths) => {
    const { alarms, looks } = watch();
    void alarms.look();
    looks[0]?.resolve();
    for (let breath = 0; breath < breaths; breath += 1) await Promise.resolve();
    const asked = alarms.look();
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks).toHaveLength(2);
    looks[1]?.resolve();
    await asked;
  },
);
