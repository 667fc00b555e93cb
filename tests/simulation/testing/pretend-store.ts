import { hash } from 'node:crypto';
import {
  exportFileName,
  folderOf,
  formatTimestamp,
  type Manifest,
  type PublishRequest,
  type ReceivedFile,
} from '@stillpoint/store';

/** A file with what it says of itself; one that is not complete was cut off. */
export type PretendFile = ReceivedFile & { readonly content: string; readonly isComplete: boolean };

/** The disk of the simulated world: what arrives, what was published, and the manifests. */
export class PretendStore {
  isMounted = true;
  isFull = false;
  /** Grows with whatever changes. */
  version = 0;
  readonly published = new Map<string, PretendFile>();
  /** Paths at which something has changed, for who looks at each change once. */
  readonly changedPaths = new Set<string>();
  readonly manifests = new Map<string, Manifest>();
  /** The hash under which manifests name a path. */
  readonly named = new Map<string, string>();
  readonly #incoming = new Map<string, Map<string, PretendFile>>();
  readonly #waiting: (() => void)[] = [];
  #isHung = false;

  get isHung(): boolean {
    return this.#isHung;
  }

  /** Every call hangs from now on. */
  hang(): void {
    this.#isHung = true;
  }

  /** Every call that hung goes on. */
  respond(): void {
    this.#isHung = false;
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  whenResponding(): Promise<void> {
    return this.#isHung ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  incomingOf(taskId: string): ReadonlyMap<string, PretendFile> {
    return this.#incoming.get(taskId) ?? new Map();
  }

  /** The tasks of which something arrived and was neither published nor discarded. */
  get incomingTasks(): string[] {
    return [...this.#incoming.keys()];
  }

  receive(taskId: string, name: string, content: string, isComplete: boolean): PretendFile {
    const file = { name, content, isComplete, sizeBytes: content.length, sha256: hash('sha256', content) };
    const files = this.#incoming.get(taskId) ?? new Map<string, PretendFile>();
    files.set(name, file);
    this.#incoming.set(taskId, files);
    this.version += 1;
    return file;
  }

  /** Puts all of a backup into place in one go; null when a file is not there or has changed. */
  publish(request: PublishRequest): Manifest | null {
    const { taskId } = request;
    const known = this.manifests.get(taskId);
    if (known !== undefined) return known;
    const incoming = this.incomingOf(taskId);
    if (!request.files.every(({ name, sha256 }) => incoming.get(name)?.sha256 === sha256)) return null;
    let manifest = manifestOf(request, request.takenAt);
    for (let tries = 1; manifest.files.some(({ path }) => this.published.has(path)); tries += 1) {
      manifest = manifestOf(request, request.takenAt + tries);
    }
    this.manifests.set(taskId, manifest);
    for (const [at, { path }] of manifest.files.entries()) {
      const file = incoming.get(request.files[at]?.name ?? '');
      if (file !== undefined) this.published.set(path, file);
      this.named.set(path, manifest.files[at]?.sha256 ?? '');
      this.changedPaths.add(path);
    }
    this.#incoming.delete(taskId);
    this.version += 1;
    return manifest;
  }

  discard(taskId: string): void {
    for (const { path } of this.manifests.get(taskId)?.files ?? []) {
      this.published.delete(path);
      this.named.delete(path);
      this.changedPaths.add(path);
    }
    this.manifests.delete(taskId);
    this.#incoming.delete(taskId);
    this.version += 1;
  }
}

function manifestOf(request: PublishRequest, stampMs: number): Manifest {
  const { target, device, taskId } = request;
  const timestamp = formatTimestamp(stampMs, request.timeZone);
  const folder = folderOf(device.name, target).join('/');
  const isSecure = target.kind === 'secure-backup';
  return {
    formatVersion: 1,
    taskId,
    action: isSecure ? 'SECURE_BACKUP' : 'EXPORT_DOMAIN',
    target,
    domains: [...request.domains],
    device,
    takenAt: new Date(request.takenAt).toISOString(),
    completedAt: new Date(request.completedAt).toISOString(),
    stillpointVersion: request.stillpointVersion,
    files: request.files.map(({ name, sizeBytes, sha256, isPersisted }) => ({
      path: isSecure
        ? `${folder}/${timestamp}/${name}`
        : `${folder}/${exportFileName(target, timestamp, isPersisted ?? true)}`,
      incomingPath: `${isSecure ? 'secure-backup' : 'export'}/${name}`,
      sizeBytes,
      sha256,
      isPersisted,
    })),
  };
}
