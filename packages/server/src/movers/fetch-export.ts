import type { Appliance } from '@stillpoint/datapower';
import { openIncoming, type StoreRoot, verifyExport } from '@stillpoint/store';
import { mayNotAct } from './may-not-act.ts';
import type { MoverOrder, MoverProgress, MoverReply } from './mover-orders.ts';
import type { Permission } from './permission.ts';

/** Streams an export of the appliance into the incoming folder of its task and verifies what arrived. */
export async function fetchExport(
  appliance: Pick<Appliance, 'backUpDomains'>,
  root: StoreRoot,
  order: MoverOrder<'fetchExport'>,
  tell: (progress: MoverProgress) => void,
  permission: Permission,
): Promise<MoverReply<'fetchExport'>> {
  const opened = await openIncoming(root, order.taskId, 'export');
  if (!opened.ok) return opened;
  await using incoming = opened.value;
  const name = order.isPersisted ? 'persisted.zip' : 'nonpersisted.zip';
  // A new file takes the place of one that whoever holds the task now may have received already.
  if (!permission.holds()) {
    return mayNotAct(`"${name}" was not fetched, because the server had said nothing for too long.`);
  }
  const created = await incoming.createFile(name);
  if (!created.ok) return created;
  const sink = created.value;

  const domains = 'allDomains' in order.domains ? ('all-domains' as const) : order.domains;
  const { isPersisted, comment } = order;
  const sent = await appliance.backUpDomains(
    { domains, isPersisted, comment },
    {
      write(chunk) {
        tell({ files: 0, bytes: sink.sizeBytes });
        return sink.write(chunk);
      },
    },
    { signal: permission.signal },
  );
  // When the file could not be written, that is the cause; the appliance's side only tells that the transfer broke off.
  const file = await sink.finish();
  if (!file.ok) return file;
  if (!sent.ok) return sent;
  tell({ files: 1, bytes: file.value.sizeBytes });

  const verified = await verifyExport(incoming.pathOf(name), {
    domains: order.domains,
    verifiesHashes: order.verifiesHashes,
    expectedSerialNumber: order.source.expectedSerialNumber,
  });
  return verified.ok ? { ok: true, value: { file: file.value, verified: verified.value } } : verified;
}
