import { constants, fstatSync, lstatSync, readdirSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file or a folder, whatever it is called at the moment. */
export type NodeId = number;

/** A name in a folder that leads to a node from now on, or to nothing. */
export interface NameChange {
  readonly folder: NodeId;
  readonly name: string;
  readonly node: NodeId | null;
}

/** One thing that was asked of the disk; the changes of one step are made together or not at all. */
export type DiskStep =
  | { readonly kind: 'names'; readonly changes: readonly NameChange[] }
  | { readonly kind: 'write'; readonly node: NodeId; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'empty'; readonly node: NodeId }
  /** Whatever was done to the node in the first `covers` steps is durable from here on. */
  | { readonly kind: 'sync'; readonly node: NodeId; readonly covers: number };

type AnyCall = (...args: unknown[]) => Promise<unknown>;
// Looks at the disk before a call, and tells what the call has changed after it.
type Look = (...args: unknown[]) => () => DiskStep[];

/** The node of the folder that `begin` was given. */
export const rootNode: NodeId = 0;

/** Passes calls of node:fs/promises on to the real ones, and writes down in their order what they change. */
export class DiskRecorder {
  readonly steps: DiskStep[] = [];
  readonly folders = new Set<NodeId>();
  /** At so many steps no call is carried out any more: so it looks to a disk when a process is killed. */
  diesAtStep = Number.POSITIVE_INFINITY;
  #isOn = false;
  readonly #nodeOfInode = new Map<number, NodeId>();
  #nodeCount = 0;

  /** Begins anew with an empty folder. */
  begin(root: string): void {
    this.steps.length = 0;
    this.folders.clear();
    this.#nodeOfInode.clear();
    this.#nodeCount = 0;
    this.diesAtStep = Number.POSITIVE_INFINITY;
    this.#isOn = true;
    this.#newNode(statSync(root).ino, true);
  }

  end(): void {
    this.#isOn = false;
  }

  /** What takes the place of node:fs/promises. */
  wrap(original: Record<string, unknown>): Record<string, unknown> {
    const looks: Record<string, Look> = {
      access: () => nothing,
      lstat: () => nothing,
      readdir: () => nothing,
      readFile: () => nothing,
      statfs: () => nothing,
      mkdir: (path) => () => this.#made(path as string, true),
      link: (from, to) => () => [this.#names({ ...this.#placeOf(to as string), node: this.#nodeAt(from) })],
      unlink: (path) => this.#removal(path as string),
      rm: (path) => this.#removal(path as string),
      rename: (from, to) => this.#renaming(from as string, to as string),
      open: (path, flags) => this.#opening(path as string, flags as number),
    };
    const wrapped = { ...original };
    for (const [name, look] of Object.entries(looks)) {
      wrapped[name] = this.#recording(original[name] as AnyCall, look);
    }
    const open = wrapped.open as AnyCall;
    wrapped.open = async (...args: unknown[]) => this.#wrapHandle((await open(...args)) as FileHandle);
    return wrapped;
  }

  #recording(call: AnyCall, look: Look): AnyCall {
    return async (...args) => {
      if (!this.#isOn) return call(...args);
      if (this.steps.length >= this.diesAtStep) throw deathError();
      const tell = look(...args);
      const answer = await call(...args);
      this.steps.push(...tell());
      return answer;
    };
  }

  #wrapHandle(handle: FileHandle): FileHandle {
    if (!this.#isOn) return handle;
    const node = this.#nodeOfInode.get(fstatSync(handle.fd).ino);
    // What lies outside of the folder, such as /proc, is not looked at.
    if (node === undefined) return handle;
    let offset = 0;
    const writing = (bytes: Buffer): (() => DiskStep[]) => {
      const step: DiskStep = { kind: 'write', node, offset, bytes: Buffer.from(bytes) };
      offset += bytes.length;
      return () => [step];
    };
    const syncing: Look = () => {
      const covers = this.steps.length;
      return () => [{ kind: 'sync', node, covers }];
    };
    const looks: Record<string, Look> = {
      sync: syncing,
      datasync: syncing,
      write: (buffer, from, length) =>
        writing((buffer as Buffer).subarray(from as number, (from as number) + (length as number))),
      writeFile: (data) => writing(Buffer.from(data as Buffer)),
    };
    for (const [name, look] of Object.entries(looks)) {
      const method = (handle[name as 'sync'] as AnyCall).bind(handle);
      Object.defineProperty(handle, name, { value: this.#recording(method, look) });
    }
    return handle;
  }

  #opening(path: string, flags: number): () => DiskStep[] {
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before === undefined) return () => this.#made(path, false);
    const isEmptied = (flags & constants.O_TRUNC) !== 0;
    return isEmptied ? () => [{ kind: 'empty', node: this.#nodeAt(path) }] : nothing;
  }

  #renaming(from: string, to: string): () => DiskStep[] {
    const node = this.#nodeAt(from);
    const removed = { ...this.#placeOf(from), node: null };
    return () => [this.#names({ ...this.#placeOf(to), node }, removed)];
  }

  // A folder goes entry by entry, as the kernel is asked to.
  #removal(path: string): () => DiskStep[] {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return nothing;
    const inside = status.isDirectory()
      ? readdirSync(path).map((name) => this.#removal(join(path, name)))
      : [];
    const removed = this.#names({ ...this.#placeOf(path), node: null });
    return () => [...inside.flatMap((tell) => tell()), removed];
  }

  #made(path: string, isFolder: boolean): DiskStep[] {
    const node = this.#newNode(lstatSync(path).ino, isFolder);
    return [this.#names({ ...this.#placeOf(path), node })];
  }

  #names(...changes: NameChange[]): DiskStep {
    return { kind: 'names', changes };
  }

  #placeOf(path: string): { folder: NodeId; name: string } {
    return { folder: this.#nodeAt(dirname(path), true), name: basename(path) };
  }

  #nodeAt(path: unknown, isFollowed = false): NodeId {
    const { ino } = isFollowed ? statSync(path as string) : lstatSync(path as string);
    const node = this.#nodeOfInode.get(ino);
    if (node === undefined) throw new Error(`${path} was there before the recording began`);
    return node;
  }

  #newNode(inode: number, isFolder: boolean): NodeId {
    const node = this.#nodeCount;
    this.#nodeCount += 1;
    // An inode number may be given away again once its file is gone.
    this.#nodeOfInode.set(inode, node);
    if (isFolder) this.folders.add(node);
    return node;
  }
}

function nothing(): DiskStep[] {
  return [];
}

function deathError(): Error {
  return Object.assign(new Error('the process is dead'), { code: 'EIO', errno: -5, syscall: 'none' });
}
