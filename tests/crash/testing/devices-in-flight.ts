import type { FaultOrderInput } from '../../../packages/simulator/src/index.ts';
import type { Cluster } from './begin-cluster.ts';
import { good } from './good.ts';
import { ofKind } from './kinds-of-tasks.ts';
import type { ServerProcess } from './start-server-process.ts';

/** Slow as a real export of some hundred megabytes: it goes on for minutes. */
const slow = { kind: 'trickle', bytes: 64, everyMs: 200 } as const;

/** Where each device is when something happens to its node; each needs another way back. */
const situations: readonly { readonly kind: string; readonly fault: FaultOrderInput }[] = [
  { kind: 'quiesced-export', fault: { kind: 'stall', operation: 'DomainQuiesce' } },
  {
    kind: 'quiesced-export',
    fault: { kind: 'trickle', bytes: 1, everyMs: 60_000, operation: 'DomainQuiesce' },
  },
  { kind: 'quiesced-export', fault: { ...slow, operation: 'do-backup' } },
  { kind: 'quiesced-secure', fault: { kind: 'stall', operation: 'SecureBackup' } },
  { kind: 'quiesced-secure', fault: { ...slow, operation: 'get-file', skip: 2 } },
  { kind: 'export', fault: { ...slow, operation: 'do-backup' } },
];

/** The devices, and a plan for each. */
export const inFlightDevices = situations.map(({ kind, fault }, index) => ({
  name: `dp${index + 1}`,
  fault,
  ...ofKind(kind, `dp${index + 1}`),
}));

/** Begins a run for each device and waits until all of them are in flight. */
export async function bringInFlight(cluster: Cluster, node: ServerProcess): Promise<void> {
  for (const { name, fault } of inFlightDevices) {
    cluster.fleet.device(name).orderFault(fault);
    good(await node.client.runPlan({ params: { name }, body: {} }));
  }
  await cluster.until(() => {
    const missing = inFlightDevices.filter(
      ({ name }) => cluster.fleet.device(name).view().openFaults.length > 0,
    );
    if (missing.length > 0) throw new Error(`not in flight: ${missing.map(({ name }) => name).join(', ')}`);
  });
}
