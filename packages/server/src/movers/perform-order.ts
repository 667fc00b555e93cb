import type { Appliance } from '@stillpoint/datapower';
import {
  checkStore,
  discardBackup,
  hashFile,
  initStore,
  type KnownStore,
  openStore,
  publishBackup,
  readFilePart,
  rescanStore,
  type StoreRoot,
} from '@stillpoint/store';
import { fetchExport } from './fetch-export.ts';
import { fetchSecureBackup } from './fetch-secure-backup.ts';
import type { FetchSource, MoverOrder, MoverProgress, MoverReply } from './mover-orders.ts';

/** Carries out one order in this process; throws for bugs only. */
export async function performOrder(
  order: MoverOrder,
  tell: (progress: MoverProgress) => void,
): Promise<MoverReply> {
  switch (order.kind) {
    case 'checkStore':
      return checkStore({ ...order.store, minFreePercent: order.minFreePercent });
    case 'initStore':
      return initStore(order.location);
    case 'fetchExport':
      return inStore(order.store, (root) =>
        fromAppliance(order.source, (appliance) => fetchExport(appliance, root, order, tell)),
      );
    case 'fetchSecureBackup':
      return inStore(order.store, (root) =>
        fromAppliance(order.source, (appliance) => fetchSecureBackup(appliance, root, order, tell)),
      );
    case 'publishBackup':
      return inStore(order.store, (root) => publishBackup(root, order.request));
    case 'discardBackup':
      return inStore(order.store, async (root) => {
        const reply = await discardBackup(root, order.taskId);
        return reply.ok ? { ok: true, value: undefined } : reply;
      });
    case 'rescan':
      return inStore(order.store, (root) => rescanStore(root, { checksHashes: order.checksHashes }));
    case 'hashFile':
      return inStore(order.store, (root) => hashFile(root, order.path));
    case 'readFilePart':
      return inStore(order.store, (root) =>
        readFilePart(root, order.path, order.offsetBytes, order.lengthBytes),
      );
  }
}

async function inStore(
  store: KnownStore,
  step: (root: StoreRoot) => Promise<MoverReply>,
): Promise<MoverReply> {
  const opened = await openStore(store);
  if (!opened.ok) return opened;
  await using root = opened.value;
  return await step(root);
}

async function fromAppliance(
  source: FetchSource,
  step: (appliance: Appliance) => Promise<MoverReply>,
): Promise<MoverReply> {
  // Loaded when needed: a mover for short orders stays a third smaller and starts sooner without the wire client.
  const { openAppliance } = await import('@stillpoint/datapower');
  const appliance = openAppliance(source.address, { deadlines: source.deadlines });
  try {
    return await step(appliance);
  } finally {
    await appliance.close();
  }
}
