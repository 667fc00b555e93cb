import type { Store } from '@stillpoint/contract';
import { printable } from './printable.ts';
import { textFacts } from './text-table.ts';

/** The state of the store, for people. */
export function storeText(store: Store): string {
  const { totalBytes, freeBytes } = store;
  const percent =
    totalBytes === null || freeBytes === null || totalBytes === 0
      ? null
      : Math.floor((100 * freeBytes) / totalBytes);
  const facts = textFacts([
    ['Path', store.path],
    ['Usable', store.isUsable ? 'yes' : 'no'],
    ['Initialised', store.isInitialised ? 'yes' : 'no'],
    ['Remote mount', store.isRemoteMount === null ? null : store.isRemoteMount ? 'yes' : 'no'],
    ['File system', store.fileSystem],
    ['Free', percent === null ? null : `${percent} % (${freeBytes} of ${totalBytes} bytes)`],
  ]);
  const problems = store.problems.map(({ sentence, remedy }) => printable(`Problem: ${sentence} ${remedy}`));
  return [facts, ...problems].join('\n');
}
