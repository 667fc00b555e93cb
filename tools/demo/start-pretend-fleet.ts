import { readFile } from 'node:fs/promises';
import { type Fleet, type FleetDescription, readFleetFile, startFleet } from '@stillpoint/simulator';
import { DemoFailure } from './demo-failure.ts';

/** The pretend fleet of the demo and what it was described by. */
export interface PretendFleet {
  readonly fleet: Fleet;
  readonly description: FleetDescription;
}

const file = new URL('fleet.yaml', import.meta.url);

/** Starts the fleet of `fleet.yaml`, each device on a free port of the loopback interface. */
export async function startPretendFleet(): Promise<PretendFleet> {
  const reading = readFleetFile(await readFile(file, 'utf8'));
  if (!reading.ok) throw new DemoFailure(`tools/demo/fleet.yaml: ${reading.problems.join('; ')}`);
  const fleet = await startFleet(reading.value);
  await fleet.prepare();
  return { fleet, description: reading.value };
}

/** What the devices themselves say is quiesced, or on its way down or up, right now. */
export function quiescedOn(fleet: Fleet): { device: string; domain: string }[] {
  return fleet.devices.flatMap(({ name: device }) =>
    fleet
      .device(device)
      .view()
      .domains.filter(({ phase }) => phase !== 'normal')
      .map(({ name }) => ({ device, domain: name })),
  );
}
