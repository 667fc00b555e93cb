import { expect, it } from 'vitest';
import { answerInTime } from './answer-in-time.ts';

it('what does not answer is asked once, and waited for no longer than one may', async () => {
  const answer = Promise.withResolvers<string>();
  let count = 0;
  const ask = (): Promise<string> => {
    count++;
    return answer.promise;
  };
  expect(await answerInTime('a folder that hangs', ask, 1)).toBeNull();
  const later = Promise.all([1, 2].map(() => answerInTime('a folder that hangs', ask, 30_000)));
  expect(count).toBe(1);
  answer.resolve('at last');
  expect(await later).toEqual(['at last', 'at last']);
});

it('what has answered is asked anew, also when it said no', async () => {
  const refused = answerInTime('a file', () => Promise.reject(new Error('no')), 30_000);
  await expect(refused).rejects.toThrow('no');
  expect(await answerInTime('a file', async () => 1, 30_000)).toBe(1);
  expect(await answerInTime('a file', async () => 2, 30_000)).toBe(2);
});
