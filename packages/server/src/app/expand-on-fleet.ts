import {
  devicesOfPlan,
  devicesToAsk,
  expandPlan,
  type Inventory,
  type Plan,
  repeatTasks,
  type TaskDraft,
  type TaskToRepeat,
  wantsDomain,
} from '@stillpoint/core';
import { inParallel } from './in-parallel.ts';
import type { DeviceRecord, Fleet } from './ports.ts';

/** The tasks of a plan over the fleet as it is now; preview and run both come here. `parallel` devices are asked at once. */
export async function expandOnFleet(
  plan: Plan,
  devices: readonly DeviceRecord[],
  fleet: Pick<Fleet, 'readInventory'>,
  parallel: number,
  signal?: AbortSignal,
  /** Tasks of an earlier run, when only those are wanted. */
  only: readonly TaskToRepeat[] | null = null,
): Promise<readonly TaskDraft[]> {
  const known = new Map(devices.map((device) => [device.name, device]));
  const names = devicesOfPlan(plan, devicesToAsk(devices, only));
  const inventories = await inParallel(names, parallel, (name) => {
    const device = known.get(name);
    if (device === undefined) throw new Error(`The plan matched ${name}, which is not a device.`);
    return fleet.readInventory(name, (domain) => wantsDomain(plan, device, domain), signal);
  });
  const answers = new Map<string, Inventory>();
  names.forEach((name, index) => {
    answers.set(name, inventories[index] as Inventory);
  });
  return only === null ? expandPlan(plan, devices, answers) : repeatTasks(plan, devices, answers, only);
}
