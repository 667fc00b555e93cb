import { expect, it } from 'vitest';
import { printable } from './printable.ts';

it('text from a device is one line of what can be shown', () => {
  expect(printable(' one\r\n\u0000two\u202e  three ')).toBe('one two three');
});

it('text from a device is cut between two characters, for a database takes no half of one', () => {
  expect(printable(`${'x'.repeat(299)}😀 and more`)).toBe(`${'x'.repeat(299)}…`);
});
