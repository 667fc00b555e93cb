import type { Content } from './content.ts';

/** A file of a virtual file system; it is seen from `visibleAt` on. */
export interface StoredFile {
  readonly kind: 'file';
  readonly content: Content;
  readonly visibleAt: number;
}

/** A directory of a virtual file system. */
export interface StoredDirectory {
  readonly kind: 'directory';
  readonly entries: Map<string, StoredFile | StoredDirectory>;
}

/** A parsed file URL: `temporary:/a/b`, `temporary://a/b` and `temporary:///a/b` are the same place. */
export interface FilePlace {
  readonly location: string;
  readonly segments: readonly string[];
}

/** The locations every domain has, in the order a listing gives them. */
export const FILE_LOCATIONS = [
  'local:',
  'store:',
  'export:',
  'cert:',
  'sharedcert:',
  'pubcert:',
  'image:',
  'config:',
  'chkpoints:',
  'logtemp:',
  'logstore:',
  'temporary:',
  'tasktemplates:',
  'policyframework:',
] as const;

/** Parses a file URL; undefined when it names no known location or tries to climb out of it. */
export function readFileUrl(url: string): FilePlace | undefined {
  const colon = url.indexOf(':');
  const location = url.slice(0, colon + 1);
  const segments = url
    .slice(colon + 1)
    .split('/')
    .filter((segment) => segment !== '');
  const isKnown = FILE_LOCATIONS.some((known) => known === location);
  return isKnown && !segments.includes('..') && !segments.includes('.') ? { location, segments } : undefined;
}

/** The virtual files of one domain, kept by location. */
export class FileStore {
  readonly #locations = new Map<string, StoredDirectory>();
  /** Counts changes, so that packages made from the files know when they are out of date. */
  revision = 0;

  /** The root directory of a location. */
  root(location: string): StoredDirectory {
    let root = this.#locations.get(location);
    if (root === undefined) {
      root = { kind: 'directory', entries: new Map() };
      this.#locations.set(location, root);
    }
    return root;
  }

  /** What lies at a place, if it can be seen at that instant. */
  find(place: FilePlace, now: number): StoredFile | StoredDirectory | undefined {
    let found: StoredFile | StoredDirectory | undefined = this.root(place.location);
    for (const segment of place.segments) {
      found = found?.kind === 'directory' ? found.entries.get(segment) : undefined;
    }
    return found?.kind === 'file' && now < found.visibleAt ? undefined : found;
  }

  /** Writes a file, over an older one if there is one; false when the parent is missing or a directory is there. */
  putFile(place: FilePlace, content: Content, visibleAt: number): boolean {
    const { parent, name } = this.#parentOf(place);
    if (parent === undefined || name === undefined || parent.entries.get(name)?.kind === 'directory') {
      return false;
    }
    parent.entries.set(name, { kind: 'file', content, visibleAt });
    this.revision += 1;
    return true;
  }

  /** Makes one directory; false when the parent is missing or the name is taken. */
  makeDirectory(place: FilePlace): boolean {
    const { parent, name } = this.#parentOf(place);
    if (parent === undefined || name === undefined || parent.entries.has(name)) {
      return false;
    }
    parent.entries.set(name, { kind: 'directory', entries: new Map() });
    return true;
  }

  /** Removes a file, or a directory with all that is in it; false when there is none of that kind. */
  remove(place: FilePlace, kind: 'file' | 'directory'): boolean {
    const { parent, name } = this.#parentOf(place);
    if (parent === undefined || name === undefined || parent.entries.get(name)?.kind !== kind) {
      return false;
    }
    parent.entries.delete(name);
    this.revision += 1;
    return true;
  }

  #parentOf(place: FilePlace): { parent: StoredDirectory | undefined; name: string | undefined } {
    const above = { location: place.location, segments: place.segments.slice(0, -1) };
    const parent = this.find(above, Number.POSITIVE_INFINITY);
    return { parent: parent?.kind === 'directory' ? parent : undefined, name: place.segments.at(-1) };
  }
}

/** All files under a directory with their paths relative to it. */
export function filesUnder(directory: StoredDirectory): { path: string; content: Content }[] {
  return [...directory.entries].flatMap(([name, entry]) =>
    entry.kind === 'file'
      ? [{ path: name, content: entry.content }]
      : filesUnder(entry).map(({ path, content }) => ({ path: `${name}/${path}`, content })),
  );
}
