import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** What a store holds, paths below its root; folders are not counted. */
export type StoreListing = {
  /** Files outside of Stillpoint's own folder. */
  readonly published: readonly string[];
  /** Those of them that no manifest names with this size. */
  readonly unlisted: readonly string[];
  /** Whatever is in the incoming folder, folders too. */
  readonly incoming: readonly string[];
};

type Manifest = { readonly files: readonly { readonly path: string; readonly sizeBytes: number }[] };

/** Looks at a store as anybody with `find` would. */
export function listStore(root: string): StoreListing {
  const own = join(root, '.stillpoint');
  const published = entriesBelow(root)
    .filter(({ isFile, path }) => isFile && path.split(sep)[0] !== '.stillpoint')
    .map(({ path }) => path);
  const catalog = join(own, 'catalog');
  const listed = entriesBelow(catalog)
    .filter(({ path }) => path.endsWith('.json'))
    .map(({ path }) => JSON.parse(readFileSync(join(catalog, path), 'utf8')) as Manifest)
    .flatMap(({ files }) => files);
  const unlisted = published.filter((path) => {
    const sizeBytes = readFileSync(join(root, path)).length;
    return !listed.some((file) => file.path === path && file.sizeBytes === sizeBytes);
  });
  const incoming = entriesBelow(join(own, 'incoming')).map(({ path }) => path);
  return { published, unlisted, incoming };
}

function entriesBelow(root: string): { path: string; isFile: boolean }[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => ({
      path: relative(root, join(entry.parentPath, entry.name)),
      isFile: entry.isFile(),
    }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
