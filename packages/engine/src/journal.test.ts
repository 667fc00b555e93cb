import { expect, test } from 'vitest';
import { type Held, transactHeld } from './journal.ts';
import { MemoryDatabase } from './testing/memory-database.ts';
import { MemoryJournal } from './testing/memory-journal.ts';

async function heldBy(journal: MemoryJournal, token: number): Promise<Held> {
  const hold = await journal.takeHold('subject-1', token, `node-${token}`);
  if (hold.kind !== 'taken') throw new Error(`The subject is ${hold.kind}.`);
  return hold.taken.held;
}

test('whoever has lost a subject to the next holder writes nothing for it', async () => {
  const journal = new MemoryJournal(new MemoryDatabase());
  await journal.transact((trx) => journal.create(trx, 'steps', [{ id: 'subject-1', spec: {} }]));
  const written: string[] = [];
  const write = (held: Held, what: string) => transactHeld(journal, held, async () => written.push(what));
  const first = await heldBy(journal, 1);
  expect(await write(first, 'in time')).toEqual({ kind: 'written', value: 1 });
  const second = await heldBy(journal, 2);
  expect(await write(first, 'too late')).toEqual({ kind: 'lost' });
  expect(await write(second, 'by the next')).toEqual({ kind: 'written', value: 2 });
  expect(await write({ ...second, subjectId: 'unknown' }, 'for nobody')).toEqual({ kind: 'lost' });
  expect(written).toEqual(['in time', 'by the next']);
});
