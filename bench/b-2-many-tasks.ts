import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { printCpuPerTask } from './fleet/print-cpu-per-task.ts';
import { runFleetPlan } from './fleet/run-fleet-plan.ts';
import { machine, printFigure } from './machine.ts';

// B-2: one run over a whole fleet, one export per domain. With answers that come at once it shows what a task costs in CPU
// time; with answers that take a while, how close the run comes to the ideal schedule: every request one after the
// other on as many devices as may be worked on at once, and nothing in between. The whole of it is --devices 500; fewer
// devices are worked on at once with answers that take a while, for the pretend fleet and PostgreSQL want the same cores.
// With --without-latency that half is left out.

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: '100' },
    domains: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '8' },
    latency: { type: 'string', default: '200' },
    'without-latency': { type: 'boolean', default: false },
    json: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const size = { devices: Number(options.devices), domains: Number(options.domains), nodes: 1 };
const parallel = Number(options.parallel);
const latencyMs = Number(options.latency);

const atOnce = await runFleetPlan(options.folder, { ...size, parallel: 16, latencyMs: 0 });
printFigure('b-2.no-latency.tasks', atOnce.tasks, 'tasks');
printFigure('b-2.no-latency.wall', atOnce.wallSeconds, 's');
printCpuPerTask('b-2.no-latency', atOnce);

const slow = options['without-latency']
  ? null
  : await runFleetPlan(options.folder, { ...size, parallel, latencyMs });
if (slow !== null) {
  const idealSeconds = (slow.requests * latencyMs) / 1000 / parallel;
  printFigure('b-2.latency.requests', slow.requests, 'requests');
  printFigure('b-2.latency.ideal', idealSeconds, 's');
  printFigure('b-2.latency.wall', slow.wallSeconds, 's', slow.wallSeconds / idealSeconds);
  printCpuPerTask('b-2.latency', slow);
}
if (options.json !== undefined) {
  const results = { size, parallel, latencyMs, atOnce, slow };
  await writeFile(options.json, `${JSON.stringify({ benchmark: 'B-2', machine, results }, null, 2)}\n`);
}
