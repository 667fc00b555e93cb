import { expect, it } from 'vitest';
import { TransferTeller } from './transfer-teller.ts';

it('long work is told every two seconds, short work never', () => {
  const told: string[] = [];
  let now = 0;
  const teller = new TransferTeller(
    (text) => told.push(text),
    () => now,
  );
  for (; now <= 5_000; now += 500) teller.progress({ step: 'import', table: 'task', rows: now });
  expect(told).toEqual(['importing task, row 2000\n', 'importing task, row 4000\n']);
});
