import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { attempt, errnoOf, FaultError, type Reply } from './fault.ts';
import { ownFolder } from './layout.ts';
import { isRemoteMount, type Mount, parseMountId, parseMountInfo } from './mount-table.ts';
import { readSmallFile } from './read-small-file.ts';
import { StoreDirectory } from './store-directory.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

/** Where the store is said to be, and whether it must be a mounted network file system. */
export interface StoreLocation {
  readonly root: string;
  readonly requiresRemoteMount: boolean;
}

/** A store that is known already: its marker must carry `expectedStoreId`; null accepts any marker. */
export interface KnownStore extends StoreLocation {
  readonly expectedStoreId: string | null;
}

/** What the marker file `.stillpoint/store.json` says; `createdAt` is an ISO 8601 instant. */
export interface StoreMarker {
  readonly storeId: string;
  readonly createdAt: string;
  readonly version: number;
}

/** The store held open: every later file call goes through `directory`, never through the path again. */
export interface StoreRoot extends AsyncDisposable {
  readonly directory: StoreDirectory;
  readonly mount: Mount;
  readonly marker: StoreMarker;
}

/** Room and origin of the store; `freePercent` is what this process may still use, of everything. */
export interface StoreStatus {
  readonly storeId: string;
  readonly fileSystem: string;
  readonly source: string;
  readonly mountPoint: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freePercent: number;
}

const markerName = 'store.json';
const maxMarkerBytes = 64 * 1024;
const markerShape = z.object({ storeId: z.uuid(), createdAt: z.iso.datetime(), version: z.literal(1) });

/** Opens a store for one order, after mount and marker were checked; the caller disposes of it. */
export async function openStore(store: KnownStore): Promise<Reply<StoreRoot>> {
  return attempt(`opening the store at "${store.root}"`, async () => {
    const { directory, mount } = await openMountedRoot(store);
    try {
      const marker = await readMarker(directory);
      if (marker === undefined) {
        throw new FaultError('STORE_MARKER_MISSING', `${store.root} holds no ${ownFolder}/${markerName}.`);
      }
      if (store.expectedStoreId !== null && marker.storeId !== store.expectedStoreId) {
        throw new FaultError(
          'STORE_MARKER_DIFFERS',
          `${store.root} carries the store ${marker.storeId}, not ${store.expectedStoreId}.`,
        );
      }
      return { directory, mount, marker, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
  });
}

/** Looks whether the store can take backups now: right place, right marker, writable, and room enough. */
export async function checkStore(
  store: KnownStore & { minFreePercent: number },
): Promise<Reply<StoreStatus>> {
  const opened = await openStore(store);
  if (!opened.ok) return opened;
  return attempt(`checking the store at "${store.root}"`, async () => {
    await using root = opened.value;
    if (root.mount.isReadOnly) {
      throw new FaultError('STORE_READ_ONLY', `${root.mount.mountPoint} is mounted read-only.`);
    }
    await access(root.directory.path(), constants.W_OK | constants.X_OK);
    const status = await measure(root);
    if (status.freePercent < store.minFreePercent) {
      throw new FaultError(
        'STORE_OUT_OF_SPACE',
        `${status.freePercent.toFixed(1)} % of ${store.root} is free; at least ${store.minFreePercent} % must be.`,
      );
    }
    return status;
  });
}

/** Sets up a store: writes its marker, or keeps and answers the one that is there. */
export async function initStore(location: StoreLocation): Promise<Reply<StoreMarker>> {
  return attempt(`setting up the store at "${location.root}"`, async (begins) => {
    const { directory } = await openMountedRoot(location);
    await using root = directory;
    const existing = await readMarker(root);
    if (existing !== undefined) return existing;
    begins();
    await using own = await root.openOrMake([ownFolder]);
    const marker: StoreMarker = { storeId: randomUUID(), createdAt: new Date().toISOString(), version: 1 };
    await writeFileAtomically(own, markerName, `${JSON.stringify(marker, null, 2)}\n`);
    return marker;
  });
}

async function openMountedRoot(
  location: StoreLocation,
): Promise<{ directory: StoreDirectory; mount: Mount }> {
  const directory = await openRoot(location.root);
  try {
    const mount = await findMount(directory, location.root);
    if (location.requiresRemoteMount && !isRemoteMount(mount)) {
      throw new FaultError(
        'STORE_IS_NOT_MOUNTED',
        `${location.root} lies on no mounted network file system but on ${mount.fileSystem}, mounted at ${mount.mountPoint}.`,
      );
    }
    return { directory, mount };
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

async function openRoot(root: string): Promise<StoreDirectory> {
  if (root === '') throw new FaultError('STORE_PATH_NOT_SET', 'The path of the store is empty.');
  if (!isAbsolute(root) || root.includes('\0')) {
    throw new FaultError('STORE_PATH_INVALID', `${JSON.stringify(root)} is not an absolute path.`);
  }
  try {
    return await StoreDirectory.openRoot(root);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') throw new FaultError('STORE_DOES_NOT_EXIST', `${root} does not exist.`);
    if (errno === 'ENOTDIR') throw new FaultError('STORE_DOES_NOT_EXIST', `${root} is not a directory.`);
    throw error;
  }
}

// Asking the kernel for the mount of the open descriptor resolves links, bind mounts and mounts on top of each other.
async function findMount(directory: StoreDirectory, root: string): Promise<Mount> {
  const mountId = parseMountId(await readFile(`/proc/self/fdinfo/${directory.handle.fd}`, 'utf8'));
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
  const mount = mounts.find((candidate) => candidate.mountId === mountId);
  if (mount === undefined) {
    throw new FaultError(
      'STORE_IS_NOT_MOUNTED',
      `The file system at ${root} was unmounted a moment ago.`,
      true,
    );
  }
  return mount;
}

async function readMarker(directory: StoreDirectory): Promise<StoreMarker | undefined> {
  await using own = await directory.openIfThere([ownFolder]);
  if (own === undefined) return undefined;
  const text = await readSmallFile(own.path(markerName), maxMarkerBytes, 'STORE_MARKER_UNREADABLE');
  if (text === undefined) return undefined;
  const parsed = z.string().transform(parseJson).pipe(markerShape).safeParse(text.toString('utf8'));
  if (!parsed.success) {
    throw new FaultError(
      'STORE_MARKER_UNREADABLE',
      `${ownFolder}/${markerName} has another form than expected.`,
    );
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function measure(root: StoreRoot): Promise<StoreStatus> {
  const { bsize, blocks, bavail } = await statfs(root.directory.path());
  return {
    storeId: root.marker.storeId,
    fileSystem: root.mount.fileSystem,
    source: root.mount.source,
    mountPoint: root.mount.mountPoint,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freePercent: blocks === 0 ? 0 : (bavail / blocks) * 100,
  };
}
