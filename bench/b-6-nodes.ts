import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { printCpuPerTask } from './fleet/print-cpu-per-task.ts';
import { type FleetRun, runFleetPlan } from './fleet/run-fleet-plan.ts';
import { machine, printFigure } from './machine.ts';

// B-6: the same fleet backed up by 1, 2 and 4 nodes on one PostgreSQL, every answer of a device taking a while. The ratio
// is to the throughput of one node in the same run.

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', multiple: true, default: ['1', '2', '4'] },
    devices: { type: 'string', default: '64' },
    domains: { type: 'string', default: '6' },
    parallel: { type: 'string', default: '2' },
    latency: { type: 'string', default: '200' },
    json: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const plan = {
  devices: Number(options.devices),
  domains: Number(options.domains),
  parallel: Number(options.parallel),
  latencyMs: Number(options.latency),
};
const results: { nodes: number; run: FleetRun }[] = [];
const throughputs: number[] = [];
for (const nodes of options.nodes.map(Number)) {
  const run = await runFleetPlan(options.folder, { ...plan, nodes });
  results.push({ nodes, run });
  const tasksPerSecond = run.tasks / run.taskSeconds;
  throughputs.push(tasksPerSecond);
  const ideal = (nodes * plan.parallel * 1000 * run.tasks) / (run.taskRequests * plan.latencyMs);
  printFigure(
    `b-6.${nodes}-nodes.throughput`,
    tasksPerSecond,
    'tasks/s',
    tasksPerSecond / (throughputs[0] ?? tasksPerSecond),
  );
  printFigure(`b-6.${nodes}-nodes.of-ideal`, (100 * tasksPerSecond) / ideal, '%');
  printCpuPerTask(`b-6.${nodes}-nodes`, run);
}
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ benchmark: 'B-6', machine, plan, results }, null, 2)}\n`);
}
