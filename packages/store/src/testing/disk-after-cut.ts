import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DiskStep, type NodeId, rootNode } from './disk-recorder.ts';

/** What becomes of a step that was not made durable: all of it, nothing, or of a write some of its sectors. */
export type Fate =
  | 'kept'
  | 'lost'
  | { readonly hasSector: (index: number) => boolean; readonly sectorBytes: number };

/** The numbers of the steps, among the first `length`, that a power cut may undo. */
export function stepsAtStake(steps: readonly DiskStep[], length: number): number[] {
  const coveredOfNode = new Map<NodeId, number>();
  for (const step of steps.slice(0, length)) {
    if (step.kind === 'sync') coveredOfNode.set(step.node, step.covers);
  }
  const isDurable = (step: DiskStep, index: number): boolean =>
    step.kind === 'sync' || index < (coveredOfNode.get(deciderOf(step)) ?? 0);
  return steps.slice(0, length).flatMap((step, index) => (isDurable(step, index) ? [] : [index]));
}

// A rename is durable once the folder of its new name is.
function deciderOf(step: Exclude<DiskStep, { kind: 'sync' }>): NodeId {
  if (step.kind !== 'names') return step.node;
  return step.changes[0]?.folder ?? rootNode;
}

/** A disk as it is found after a power cut. */
export class DiskAfterCut {
  readonly #names = new Map<NodeId, Map<string, NodeId>>();
  readonly #contents = new Map<NodeId, Buffer>();
  readonly #folders: ReadonlySet<NodeId>;

  /** Carries out the first `length` steps, each as its fate says; a step without one is carried out whole. */
  constructor(
    steps: readonly DiskStep[],
    length: number,
    fates: ReadonlyMap<number, Fate>,
    folders: ReadonlySet<NodeId>,
  ) {
    this.#folders = folders;
    for (const [index, step] of steps.slice(0, length).entries()) {
      const fate = fates.get(index) ?? 'kept';
      if (fate !== 'lost') this.#apply(step, fate);
    }
  }

  /** The same for disks that hold the same. */
  fingerprint(): string {
    const hash = createHash('sha1');
    this.#walk(rootNode, '', (path, node) => {
      hash.update(`${path}\0${node}\0`).update(this.#contents.get(node) ?? '');
    });
    return hash.digest('hex');
  }

  /** Makes real files and folders of it below an empty folder. */
  materialise(root: string): void {
    const placed = new Map<NodeId, string>();
    this.#walk(rootNode, '', (path, node) => {
      const at = join(root, path);
      const earlier = placed.get(node);
      placed.set(node, at);
      if (this.#folders.has(node)) mkdirSync(at);
      else if (earlier === undefined) writeFileSync(at, this.#contents.get(node) ?? '');
      else linkSync(earlier, at);
    });
  }

  #walk(folder: NodeId, prefix: string, visit: (path: string, node: NodeId) => void): void {
    for (const [name, node] of this.#names.get(folder) ?? []) {
      visit(prefix + name, node);
      if (this.#folders.has(node)) this.#walk(node, `${prefix}${name}/`, visit);
    }
  }

  #apply(step: DiskStep, fate: Exclude<Fate, 'lost'>): void {
    if (step.kind === 'empty') this.#contents.set(step.node, Buffer.alloc(0));
    if (step.kind === 'write') this.#write(step.node, step.offset, step.bytes, fate);
    if (step.kind !== 'names') return;
    for (const { folder, name, node } of step.changes) {
      const entries = this.#names.get(folder) ?? new Map<string, NodeId>();
      this.#names.set(folder, entries);
      if (node === null) entries.delete(name);
      else entries.set(name, node);
    }
  }

  // What a lost sector would have held is zero, as long as a later one of the file was kept.
  #write(node: NodeId, offset: number, bytes: Buffer, fate: Exclude<Fate, 'lost'>): void {
    const old = this.#contents.get(node) ?? Buffer.alloc(0);
    const grown = Buffer.alloc(Math.max(old.length, offset + bytes.length));
    old.copy(grown);
    const sectorBytes = fate === 'kept' ? bytes.length : fate.sectorBytes;
    let endOfKept = old.length;
    for (let start = 0, index = 0; start < bytes.length; start += sectorBytes, index += 1) {
      if (fate !== 'kept' && !fate.hasSector(index)) continue;
      const end = Math.min(start + sectorBytes, bytes.length);
      bytes.copy(grown, offset + start, start, end);
      endOfKept = Math.max(endOfKept, offset + end);
    }
    this.#contents.set(node, grown.subarray(0, endOfKept));
  }
}
