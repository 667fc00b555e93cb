import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reply } from '../fault.ts';
import { initStore, openStore, type StoreRoot } from '../store-root.ts';

/** A store in a folder of its own that is gone when it is disposed of; `path` is its root. */
export interface TemporaryStore extends AsyncDisposable {
  readonly path: string;
  readonly root: StoreRoot;
}

/** Makes a store on the local disk; tests that make thousands give the folder of a file system in memory. */
export async function temporaryStore(parent = tmpdir()): Promise<TemporaryStore> {
  const path = await mkdtemp(join(parent, 'stillpoint-store-'));
  must(await initStore({ root: path, requiresRemoteMount: false }));
  const root = must(await openStore({ root: path, requiresRemoteMount: false, expectedStoreId: null }));
  return {
    path,
    root,
    async [Symbol.asyncDispose]() {
      await root[Symbol.asyncDispose]();
      await rm(path, { recursive: true });
    },
  };
}

/** The value of a reply that must be one. */
export function must<T>(reply: Reply<T>): T {
  if (!reply.ok) throw new Error(`${reply.fault.code}: ${reply.fault.detail}`);
  return reply.value;
}

/** The code of a fault, or `ok`. */
export function codeOf(reply: Reply<unknown>): string {
  return reply.ok ? 'ok' : reply.fault.code;
}
