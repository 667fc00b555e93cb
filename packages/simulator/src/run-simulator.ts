import { readFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { OrderRefused } from './fleet/device-handle.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { FleetDescription } from './fleet/fleet-description.ts';
import { readFleetFile } from './fleet/fleet-file.ts';
import { startFleet } from './fleet/start-fleet.ts';

/** What the command needs of the program that runs it. */
export interface SimulatorSurroundings {
  print(text: string): void;
  complain(text: string): void;
  /** Aborted when the fleet is to stop. */
  readonly stop: AbortSignal;
}

interface CommandOptions {
  readonly controlPort: number;
  readonly readyJson: boolean;
}

/** Runs the simulator command until it is told to stop; resolves with the exit code (0 ok, 1 failed, 2 usage). */
export async function runSimulator(
  argv: readonly string[],
  surroundings: SimulatorSurroundings,
): Promise<number> {
  let exitCode = 0;
  const command = new Command('simulator')
    .description('Starts a pretend fleet of DataPower appliances on 127.0.0.1')
    .argument('<fleet.yaml>', 'description of the fleet')
    .option('--control-port <number>', 'port of the control interface; 0 = any free one', readPort, 0)
    .option('--ready-json', 'print where everything listens as one line of JSON', false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.print(text),
      writeErr: (text) => surroundings.complain(text),
    })
    .action(async (path: string, options: CommandOptions) => {
      exitCode = await serveFleet(path, options, surroundings);
    });
  try {
    await command.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2;
    }
    throw error;
  }
  return exitCode;
}

async function serveFleet(
  path: string,
  options: CommandOptions,
  surroundings: SimulatorSurroundings,
): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) {
    surroundings.complain(`The fleet file ${path} cannot be read.\n`);
    return 2;
  }
  const reading = readFleetFile(text);
  if (!reading.ok) {
    surroundings.complain(reading.problems.map((problem) => `${path}: ${problem}\n`).join(''));
    return 2;
  }
  const fleet = await tryToStart(reading.value, options, surroundings);
  if (fleet === undefined) {
    return 1;
  }
  try {
    await fleet.prepare();
    surroundings.print(options.readyJson ? readyJson(fleet) : readyText(fleet));
    await stopped(surroundings.stop);
  } finally {
    await fleet.stop();
  }
  return 0;
}

async function tryToStart(
  description: FleetDescription,
  options: CommandOptions,
  surroundings: SimulatorSurroundings,
): Promise<Fleet | undefined> {
  try {
    return await startFleet(description, { controlPort: options.controlPort });
  } catch (error) {
    if (error instanceof OrderRefused || (error instanceof Error && 'code' in error)) {
      surroundings.complain(`The fleet cannot be started: ${error.message}\n`);
      return undefined;
    }
    throw error;
  }
}

function readyJson(fleet: Fleet): string {
  return `${JSON.stringify({ controlUrl: fleet.controlUrl, devices: fleet.devices })}\n`;
}

function readyText(fleet: Fleet): string {
  const devices = fleet.devices.map(
    ({ name, host, port, certificateSha256 }) =>
      `${name}  https://${host}:${port}/service/mgmt/current  sha256 ${certificateSha256}\n`,
  );
  return `${devices.join('')}control  ${fleet.controlUrl}\n`;
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) {
    throw new InvalidArgumentError('must be a port number from 0 to 65535.');
  }
  return port;
}
