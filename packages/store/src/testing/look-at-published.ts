import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Manifest } from '../manifest.ts';

/** What stands at published paths, seen without any code of the store; paths are below its root. */
export interface PublishedLook {
  /** Files that are, byte for byte, what a manifest says. */
  readonly whole: ReadonlySet<string>;
  /** Files that no manifest names, or that are not what it says. */
  readonly torn: readonly string[];
  /** The tasks of the manifests all of whose files are whole. */
  readonly goodTasks: ReadonlySet<string>;
}

/** Compares every file outside of the folder `.stillpoint` with the manifests in it. */
export function lookAtPublished(root: string): PublishedLook {
  const manifests = filesBelow(join(root, '.stillpoint', 'catalog'))
    .filter((path) => path.endsWith('.json') && !path.includes('.tmp-'))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as Manifest);
  const listed = new Map(manifests.flatMap(({ files }) => files).map((file) => [file.path, file.sha256]));
  const whole = new Set<string>();
  const torn: string[] = [];
  for (const path of filesBelow(root)) {
    const name = relative(root, path);
    if (name.startsWith('.stillpoint/')) continue;
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (listed.get(name) === sha256) whole.add(name);
    else torn.push(name);
  }
  const good = manifests.filter(({ files }) => files.every(({ path }) => whole.has(path)));
  return { whole, torn, goodTasks: new Set(good.map(({ taskId }) => taskId)) };
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
