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
import { mayNotAct } from './may-not-act.ts';
import type { FetchSource, MoverOrder, MoverProgress, MoverReply } from './mover-orders.ts';
import type { Permission } from './permission.ts';

/**
 * Carries out one order in this process; throws for bugs only. When its permission runs out, what goes on is given up
 * and nothing more is begun: no request, no file, no publishing.
 */
export async function performOrder(
  order: MoverOrder,
  tell: (progress: MoverProgress) => void,
  permission: Permission,
): Promise<MoverReply> {
  const reply = await perform(order, tell, permission);
  if (reply.ok || permission.holds()) return reply;
  return { ok: false, fault: { ...reply.fault, code: 'NODE_MAY_NOT_ACT', retryable: true } };
}

function notBegun({ kind }: MoverOrder): Extract<MoverReply, { ok: false }> {
  return mayNotAct(`The order ${kind} was not begun, because the server had said nothing for too long.`);
}

async function perform(
  order: MoverOrder,
  tell: (progress: MoverProgress) => void,
  permission: Permission,
): Promise<MoverReply> {
  switch (order.kind) {
    case 'checkStore':
      return checkStore({ ...order.store, minFreePercent: order.minFreePercent });
    case 'initStore':
      return initStore(order.location);
    case 'fetchExport':
      return inStore(order, permission, (root) =>
        fromAppliance(order.source, permission, (appliance) =>
          fetchExport(appliance, root, order, tell, permission),
        ),
      );
    case 'fetchSecureBackup':
      return inStore(order, permission, (root) =>
        fromAppliance(order.source, permission, (appliance) =>
          fetchSecureBackup(appliance, root, order, tell, permission),
        ),
      );
    case 'publishBackup':
      return inStore(order, permission, (root) => publishBackup(root, order.request, permission.holds));
    case 'discardBackup':
      return inStore(order, permission, async (root) => {
        const reply = await discardBackup(root, order.taskId);
        return reply.ok ? { ok: true, value: undefined } : reply;
      });
    case 'rescan':
      return inStore(order, permission, (root) => rescanStore(root, { checksHashes: order.checksHashes }));
    case 'hashFile':
      return inStore(order, permission, (root) => hashFile(root, order.path));
    case 'readFilePart':
      return inStore(order, permission, (root) =>
        readFilePart(root, order.path, order.offsetBytes, order.lengthBytes),
      );
  }
}

async function inStore(
  order: Extract<MoverOrder, { store: KnownStore }>,
  permission: Permission,
  step: (root: StoreRoot) => Promise<MoverReply>,
): Promise<MoverReply> {
  const opened = await openStore(order.store);
  if (!opened.ok) return opened;
  await using root = opened.value;
  return permission.holds() ? await step(root) : notBegun(order);
}

async function fromAppliance(
  source: FetchSource,
  permission: Permission,
  step: (appliance: Appliance) => Promise<MoverReply>,
): Promise<MoverReply> {
  // Loaded when needed: a mover for short orders stays a third smaller and starts sooner without the wire client.
  const { openAppliance } = await import('@stillpoint/datapower');
  const appliance = openAppliance(source.address, { deadlines: source.deadlines, maySend: permission.holds });
  try {
    return await step(appliance);
  } finally {
    await appliance.close();
  }
}
