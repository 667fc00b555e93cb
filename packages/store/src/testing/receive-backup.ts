import { openIncoming } from '../incoming.ts';
import type { ReceivedFile } from '../incoming-file.ts';
import type { PublishRequest } from '../publish-backup.ts';
import type { StoreRoot } from '../store-root.ts';
import { must } from './temporary-store.ts';

/** Lets files arrive in the incoming folder of a task; throws when they cannot. */
export async function receive(
  root: StoreRoot,
  taskId: string,
  kind: 'export' | 'secure-backup',
  contents: Readonly<Record<string, string>>,
): Promise<ReceivedFile[]> {
  await using incoming = must(await openIncoming(root, taskId, kind));
  const received: ReceivedFile[] = [];
  for (const [name, content] of Object.entries(contents)) {
    const file = must(await incoming.createFile(name));
    await file.write(Buffer.from(content));
    received.push(must(await file.finish()));
  }
  return received;
}

const common = {
  device: {
    name: 'QA1',
    serialNumber: '0000001',
    model: 'IBM DataPower Gateway',
    firmwareVersion: 'IDG.10.5.0.2',
    firmwareBuild: '345566',
  },
  takenAt: Date.UTC(2017, 5, 26, 22, 48, 0, 0),
  completedAt: Date.UTC(2017, 5, 26, 22, 49, 0, 0),
  timeZone: 'UTC',
  stillpointVersion: '0.1.0',
};

/** The order to publish the exports of domain A, persisted and not. */
export function exportRequest(taskId: string, received: readonly ReceivedFile[]): PublishRequest {
  return {
    ...common,
    taskId,
    target: { kind: 'domain', domain: 'A' },
    domains: ['A'],
    files: received.map((file) => ({ ...file, isPersisted: file.name === 'persisted.zip' })),
  };
}

/** The order to publish a secure backup. */
export function secureBackupRequest(taskId: string, received: readonly ReceivedFile[]): PublishRequest {
  return {
    ...common,
    taskId,
    target: { kind: 'secure-backup' },
    domains: [],
    files: received.map((file) => ({ ...file, isPersisted: null })),
  };
}
