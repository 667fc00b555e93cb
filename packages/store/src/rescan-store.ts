import { readdir } from 'node:fs/promises';
import { readManifest, standingAt, unitsOf } from './backup-files.ts';
import { attempt, FaultError, type Reply } from './fault.ts';
import { catalogFolder, ownFolder } from './layout.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import type { StoreCode } from './store-catalogue.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StoreRoot } from './store-root.ts';
import { hashFile } from './stored-file.ts';

/** One thing in the store that is not as it should be; `path` is below the root, `taskId` null where none is known. */
export interface RescanProblem {
  readonly code: Extract<StoreCode, `RESCAN_${string}`>;
  readonly taskId: string | null;
  readonly path: string;
  readonly detail: string;
}

/** What the disk says: backups that are whole, and everything else. */
export interface RescanReport {
  readonly backups: readonly Manifest[];
  readonly problems: readonly RescanProblem[];
}

const readAtOnce = 8;
const deepestFolder = 6;

/** Rebuilds the catalogue from the disk alone; changes nothing. With `checksHashes` every stored byte is read. */
export async function rescanStore(
  root: StoreRoot,
  options: { readonly checksHashes: boolean },
): Promise<Reply<RescanReport>> {
  return attempt('rescanning the store', async () => new Rescan(root, options.checksHashes).run());
}

class Rescan {
  readonly #root: StoreRoot;
  readonly #checksHashes: boolean;
  readonly #backups: Manifest[] = [];
  readonly #problems: RescanProblem[] = [];
  readonly #namedPaths = new Set<string>();

  constructor(root: StoreRoot, checksHashes: boolean) {
    this.#root = root;
    this.#checksHashes = checksHashes;
  }

  async run(): Promise<RescanReport> {
    await this.#readCatalog();
    await this.#lookForLeftovers();
    await this.#walk(this.#root.directory, [], (name) => !name.startsWith('.') && name !== 'lost+found');
    this.#backups.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
    return { backups: this.#backups, problems: this.#problems };
  }

  async #readCatalog(): Promise<void> {
    await using catalog = await this.#root.directory.openIfThere(catalogFolder);
    const names = (await catalog?.names()) ?? [];
    for (let start = 0; start < names.length; start += readAtOnce) {
      const reading = names.slice(start, start + readAtOnce).map((name) => this.#readOne(name));
      // All are waited for: whoever reads on once the store is closed would read anywhere.
      await Promise.allSettled(reading);
      await Promise.all(reading);
    }
  }

  async #readOne(name: string): Promise<void> {
    const path = [...catalogFolder, name].join('/');
    const taskId = /^([A-Za-z0-9][A-Za-z0-9_-]{0,99})\.json$/.exec(name)?.[1];
    if (taskId === undefined) {
      this.#report('RESCAN_LEFTOVER', null, path, 'It is not the manifest of a task.');
      return;
    }
    const manifest = await this.#readManifest(taskId, path);
    if (manifest === undefined) return;
    for (const file of manifest.files) this.#namedPaths.add(file.path);
    if (await this.#isWholeInside(manifest, path)) this.#backups.push(manifest);
  }

  async #readManifest(taskId: string, path: string): Promise<Manifest | undefined> {
    try {
      return await readManifest(this.#root, taskId);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      this.#report('RESCAN_MANIFEST_UNREADABLE', taskId, path, error.message);
      return undefined;
    }
  }

  async #isWholeInside(manifest: Manifest, path: string): Promise<boolean> {
    try {
      return await this.#isWhole(manifest, path);
    } catch (error) {
      if (!(error instanceof FaultError) || !isDamage(error.code)) throw error;
      this.#report('RESCAN_FILE_DAMAGED', manifest.taskId, path, error.message);
      return false;
    }
  }

  async #isWhole(manifest: Manifest, path: string): Promise<boolean> {
    for (const unit of unitsOf(manifest)) {
      await using incoming = await this.#root.directory.openIfThere(unit.incomingFolder);
      if ((await standingAt(incoming, unit.incomingName)) === undefined) continue;
      this.#report(
        'RESCAN_PUBLISH_UNFINISHED',
        manifest.taskId,
        path,
        'Its files still wait to be published.',
      );
      return false;
    }
    let isWhole = true;
    for (const file of manifest.files) if (!(await this.#isGood(manifest.taskId, file))) isWhole = false;
    return isWhole;
  }

  async #isGood(taskId: string, file: ManifestFile): Promise<boolean> {
    const segments = file.path.split('/');
    await using folder = await this.#root.directory.openIfThere(segments.slice(0, -1));
    const standing = await standingAt(folder, segments.at(-1) ?? '');
    if (standing?.isFile !== true) {
      this.#report('RESCAN_FILE_MISSING', taskId, file.path, 'Its manifest names it.');
      return false;
    }
    if (standing.sizeBytes !== file.sizeBytes) {
      const detail = `It has ${standing.sizeBytes} bytes, its manifest says ${file.sizeBytes}.`;
      this.#report('RESCAN_FILE_DAMAGED', taskId, file.path, detail);
      return false;
    }
    if (!this.#checksHashes) return true;
    const hashed = await hashFile(this.#root, file.path);
    if (hashed.ok && hashed.value.sha256 === file.sha256) return true;
    if (!hashed.ok && !isDamage(hashed.fault.code)) {
      throw new FaultError(hashed.fault.code, hashed.fault.detail, hashed.fault.retryable);
    }
    const detail = hashed.ok ? 'Its SHA-256 is not the one in its manifest.' : hashed.fault.detail;
    this.#report('RESCAN_FILE_DAMAGED', taskId, file.path, detail);
    return false;
  }

  async #lookForLeftovers(): Promise<void> {
    const segments = [ownFolder, 'incoming'];
    await using incoming = await this.#root.directory.openIfThere(segments);
    for (const name of (await incoming?.names()) ?? []) {
      this.#report(
        'RESCAN_LEFTOVER',
        name,
        [...segments, name].join('/'),
        'A task left it, or is filling it now.',
      );
    }
  }

  async #walk(
    folder: StoreDirectory,
    segments: readonly string[],
    isOurs: (name: string) => boolean,
  ): Promise<void> {
    for (const entry of await readdir(folder.path(), { withFileTypes: true })) {
      if (!isOurs(entry.name)) continue;
      const path = [...segments, entry.name].join('/');
      if (!entry.isDirectory() || segments.length >= deepestFolder) {
        if (!this.#namedPaths.has(path))
          this.#report('RESCAN_FILE_UNKNOWN', null, path, 'No manifest names it.');
        continue;
      }
      await using child = await folder.openIfThere([entry.name]);
      if (child !== undefined) await this.#walk(child, [...segments, entry.name], () => true);
    }
  }

  #report(code: RescanProblem['code'], taskId: string | null, path: string, detail: string): void {
    this.#problems.push({ code, taskId, path, detail });
  }
}

// Whether a fault tells of one file; a lost connection or a lack of rights says nothing about what is stored.
function isDamage(code: StoreCode): boolean {
  return ['STORE_IO_ERROR', 'STORE_PATH_LEAVES_STORE', 'STORE_FILE_MISSING', 'STORE_FILE_CHANGED'].includes(
    code,
  );
}

// Not compared the way people of one country would: the order must be the same on every machine.
function placeOf(backup: Manifest): string {
  return `${backup.takenAt} ${backup.taskId}`;
}
