import { printFigure } from '../machine.ts';
import type { FleetRun } from './run-fleet-plan.ts';

/**
 * Prints what one task cost in CPU time, by who used it. The ratio is the part of all that is ours: the pretend fleet,
 * which works on the same cores, is told beside it and not counted.
 */
export function printCpuPerTask(name: string, { cpu, tasks }: FleetRun): void {
  const { servers, movers, postgres, fleet } = cpu;
  const ours = servers + movers + postgres;
  const print = (who: string, seconds: number, ratio: number | null): void =>
    printFigure(`${name}.cpu-per-task.${who}`, (1000 * seconds) / tasks, 'ms', ratio);
  print('servers', servers, servers / ours);
  print('movers', movers, movers / ours);
  print('postgres', postgres, postgres / ours);
  print('all-of-ours', ours, null);
  print('pretend-fleet', fleet, null);
}
