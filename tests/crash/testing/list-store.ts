import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** What a store holds, paths below its root; folders are not counted. */
export type StoreListing = {
  /** Files outside of Stillpoint's own folder. */
  readonly published: readonly string[];
  /** Those of them that no manifest names with this size and this SHA-256. */
  readonly unlisted: readonly string[];
  /** Files that a manifest names and that are not there. */
  readonly missing: readonly string[];
  /** Whatever is in the incoming folder, folders too. */
  readonly incoming: readonly string[];
};

/** What a test reads of a manifest. */
export type ManifestOnDisk = {
  readonly taskId: string;
  readonly device: { readonly name: string };
  readonly files: readonly { readonly path: string; readonly sizeBytes: number; readonly sha256: string }[];
};

/** Looks at a store as anybody with `find` and `sha256sum` would. */
export function listStore(root: string): StoreListing {
  const published = entriesBelow(root)
    .filter(({ isFile, path }) => isFile && path.split(sep)[0] !== '.stillpoint')
    .map(({ path }) => path);
  const listed = new Map(readManifests(root).flatMap(({ files }) => files.map((file) => [file.path, file])));
  const unlisted = published.filter((path) => {
    const bytes = readFileSync(join(root, path));
    const file = listed.get(path);
    return file?.sizeBytes !== bytes.length || file.sha256 !== sha256(bytes);
  });
  const there = new Set(published);
  const missing = [...listed.keys()].filter((path) => !there.has(path));
  const incoming = entriesBelow(join(root, '.stillpoint', 'incoming')).map(({ path }) => path);
  return { published, unlisted, missing, incoming };
}

/** The manifests of a store, whole ones only: what is not JSON throws. */
export function readManifests(root: string): ManifestOnDisk[] {
  const catalog = join(root, '.stillpoint', 'catalog');
  return entriesBelow(catalog)
    .filter(({ path }) => path.endsWith('.json'))
    .map(({ path }) => JSON.parse(readFileSync(join(catalog, path), 'utf8')) as ManifestOnDisk);
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

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
