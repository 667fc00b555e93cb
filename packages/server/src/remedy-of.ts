import { problemCatalogue } from '@stillpoint/contract';
import { coreCatalogue } from '@stillpoint/core';
import { datapowerCatalogue } from '@stillpoint/datapower';
import { storeCatalogue } from '@stillpoint/store';
import { scriptCatalogue } from './adapters/script-catalogue.ts';
import { taskCatalogue } from './adapters/task-catalogue.ts';
import { moverCatalogue } from './movers/mover-catalogue.ts';

const catalogues: Readonly<Record<string, { readonly remedy: string }>> = {
  ...problemCatalogue,
  ...datapowerCatalogue,
  ...storeCatalogue,
  ...moverCatalogue,
  ...scriptCatalogue,
  ...taskCatalogue,
  ...coreCatalogue,
};

/** What an operator does next when something ended with a code; empty for a code that no catalogue has. */
export function remedyOf(code: string): string {
  return Object.hasOwn(catalogues, code) ? (catalogues[code]?.remedy ?? '') : '';
}
