import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What one code means; problems of the REST API also say what HTTP status and exit code they end in. */
export interface CatalogueEntry {
  readonly sentence: string;
  readonly remedy: string;
  readonly httpStatus?: number;
  readonly exitCode?: number;
}

/** The codes of one package, in the order of its catalogue. */
export interface Catalogue {
  readonly packageName: string;
  readonly entries: Readonly<Record<string, CatalogueEntry>>;
}

/** Every catalogue that a package exports from its index: an export whose name ends in `Catalogue`. */
export async function readCatalogues(folder: string): Promise<Catalogue[]> {
  const catalogues: Catalogue[] = [];
  for (const packageName of readdirSync(join(folder, 'packages')).sort()) {
    const index = join(folder, 'packages', packageName, 'src/index.ts');
    if (!existsSync(index)) continue;
    const face: Record<string, unknown> = await import(pathToFileURL(index).href);
    for (const [name, value] of Object.entries(face)) {
      if (name.endsWith('Catalogue'))
        catalogues.push({ packageName, entries: readEntries(`${packageName}: ${name}`, value) });
    }
  }
  return catalogues;
}

function readEntries(name: string, value: unknown): Record<string, CatalogueEntry> {
  const entries = Object.entries(value as Record<string, Partial<CatalogueEntry>>);
  return Object.fromEntries(
    entries.map(([code, entry]) => {
      if (typeof entry.sentence !== 'string' || typeof entry.remedy !== 'string') {
        throw new Error(`${name}.${code} has no sentence or no remedy`);
      }
      return [code, entry as CatalogueEntry];
    }),
  );
}
