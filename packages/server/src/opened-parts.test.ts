import { beforeEach, expect, it } from 'vitest';
import { OpenedParts } from './opened-parts.ts';

let parts: OpenedParts;
let done: string[];

beforeEach(() => {
  parts = new OpenedParts();
  done = [];
});

const closing = (name: string) => async (): Promise<void> => void done.push(`close ${name}`);

it('what was done is undone before anything closes, and what was opened last closes first', async () => {
  parts.add(closing('database'));
  parts.undoFirst(async (undoMs) => void done.push(`undo within ${undoMs} ms`));
  parts.add(closing('programs'));
  parts.add(closing('listener'));
  await parts.end(5_000);
  expect(done).toEqual(['undo within 5000 ms', 'close listener', 'close programs', 'close database']);
  await parts.end(5_000);
  expect(done).toHaveLength(4);
});

it('a part that cannot be closed keeps no other open, and is told', async () => {
  parts.add(closing('lock'));
  parts.add(() => Promise.reject(new Error('it hangs')));
  parts.undoFirst(() => Promise.reject(new Error('nothing can be undone')));
  parts.add(closing('listener'));
  const failure = await parts.end(0).catch((error: unknown) => error);
  expect(done).toEqual(['close listener', 'close lock']);
  expect((failure as AggregateError).errors.map(String)).toEqual([
    'Error: nothing can be undone',
    'Error: it hangs',
  ]);
});
