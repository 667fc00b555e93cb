import { expect, test } from 'vitest';
import { FaultBook } from './fault-book.ts';
import { type FaultOrderInput, faultOrderSchema } from './fault-order.ts';

function bookOf(...orders: FaultOrderInput[]): FaultBook {
  const book = new FaultBook();
  for (const order of orders) {
    book.order(faultOrderSchema.parse(order));
  }
  return book;
}

const status = { operation: 'get-status', class: 'DomainStatus', domains: ['default'] };
const backup = (...domains: string[]) => ({ operation: 'do-backup', class: undefined, domains });

test('a fault strikes once unless told otherwise', () => {
  const book = bookOf({ kind: 'reset' });
  expect(book.take(status)?.kind).toBe('reset');
  expect(book.take(status)).toBeUndefined();
  expect(book.list()).toEqual([]);
});

test('a fault lets the first requests pass and then strikes as often as ordered', () => {
  const book = bookOf({ kind: 'reset', skip: 2, times: 2 });
  const taken = [1, 2, 3, 4, 5].map(() => book.take(status)?.kind);
  expect(taken).toEqual([undefined, undefined, 'reset', 'reset', undefined]);
});

test('a fault with times -1 strikes until it is withdrawn', () => {
  const book = bookOf({ kind: 'stall', times: -1 });
  expect([1, 2, 3].map(() => book.take(status)?.kind)).toEqual(['stall', 'stall', 'stall']);
  book.clear();
  expect(book.take(status)).toBeUndefined();
});

test('a fault strikes only what it was ordered for', () => {
  const book = bookOf(
    { kind: 'reset', operation: 'do-backup', domain: 'B' },
    { kind: 'soap-fault', class: 'FirmwareVersion' },
  );
  expect(book.take(status)).toBeUndefined();
  expect(book.take(backup('A'))).toBeUndefined();
  expect(book.take({ ...status, class: 'FirmwareVersion' })?.kind).toBe('soap-fault');
  expect(book.take(backup('A', 'B'))?.kind).toBe('reset');
});

test('a fault of exports leaves other requests alone', () => {
  const book = bookOf({ kind: 'truncated-zip' }, { kind: 'quiesce-never' });
  expect(book.take(status)).toBeUndefined();
  expect(book.take({ ...status, operation: 'DomainQuiesce' })?.kind).toBe('quiesce-never');
  expect(book.take(backup('A'))?.kind).toBe('truncated-zip');
});
