import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ownFolder = '.stillpoint';

/** A store as anybody sees it who looks at the disk; all paths are relative to its root. */
export class StoreFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Every published file, or those of one device. */
  files(device?: string): string[] {
    return filesBelow(this.root)
      .filter((path) => !path.startsWith(`${ownFolder}/`))
      .filter((path) => device === undefined || path.startsWith(`${device}/`));
  }

  /** The published files of a device with `TIME` for the time stamp in each path. */
  filesUntimed(device: string): string[] {
    return this.files(device).map((path) => path.replace(/\d{4}(-\d{2}){5}-\d{3}/, 'TIME'));
  }

  /** What is left of work that was begun: the entries of the incoming folder. */
  leftovers(): string[] {
    try {
      return readdirSync(join(this.root, ownFolder, 'incoming'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** The ids of the tasks that have a manifest. */
  manifests(): string[] {
    return filesBelow(join(this.root, ownFolder, 'catalog')).map((path) => path.replace(/\.json$/, ''));
  }

  sha256(path: string): string {
    return createHash('sha256')
      .update(readFileSync(join(this.root, path)))
      .digest('hex');
  }
}

function filesBelow(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
