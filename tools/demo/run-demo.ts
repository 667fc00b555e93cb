import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Fleet } from '@stillpoint/simulator';
import { applyWithCommand } from './apply-with-command.ts';
import { DemoFailure } from './demo-failure.ts';
import { type DemoFolder, openDemoFolder } from './demo-folder.ts';
import { type DemoReport, demoReport, filesNotServed } from './demo-report.ts';
import { factLine, quiesceLine, reportText, taskLine } from './demo-text.ts';
import { followRun } from './follow-run.ts';
import type { DemoOptions } from './read-demo-options.ts';
import { startPretendFleet } from './start-pretend-fleet.ts';
import { type ServerProcess, startServerProcess } from './start-server-process.ts';
import { valueOrFailure } from './value-or-failure.ts';
import { writeApplyFile } from './write-apply-file.ts';

/** What the demo needs of the program that runs it. */
export interface DemoSurroundings {
  /** Tells a person, one or more lines at a time. */
  readonly say: (lines: string) => void;
  /** Receives the document of `--json`. */
  readonly hand: (report: DemoReport) => void;
  /** Aborted when the demo is to end. */
  readonly stop: AbortSignal;
}

const planName = 'worked-example';

/**
 * Runs the whole demo, and ends everything it started, in order, whatever happens. True when the run went as it should.
 * Throws `DemoFailure`, and the reason of `stop` when it is aborted before the run has ended.
 */
export async function runDemo(options: DemoOptions, surroundings: DemoSurroundings): Promise<boolean> {
  const { say, stop } = surroundings;
  const closers: (() => Promise<void>)[] = [];
  try {
    const folder = await openDemoFolder(options.folder, options.isFresh);
    closers.push(folder.release);
    say(`Stillpoint demo; everything it keeps is in ${folder.path}\n`);
    const pretence = await startPretendFleet();
    const { fleet } = pretence;
    closers.push(() => fleet.stop());
    closers.push(() => writeFile(folder.fleetLog, `${JSON.stringify(fleet.log, null, 1)}\n`));
    sayDevices(fleet, say);
    stop.throwIfAborted();
    const server = await startServerProcess(folder);
    closers.push(server.stop);
    say(factLine('server', `${server.url}, log in ${folder.serverLog}`));
    stop.throwIfAborted();
    await writeApplyFile(folder, pretence);
    await applyWithCommand(folder);
    say(factLine('applied', folder.applyFile));
    await valueOrFailure(server.client.initStore());
    say(factLine('store', folder.store));
    const isAsItShould = await runPlan(folder, fleet, server, surroundings);
    if (!options.isOnce) await stayUp(folder, server, surroundings);
    return isAsItShould;
  } finally {
    await closeAll(closers);
  }
}

/** Ends what was begun last first; one that fails keeps none of the others from being ended. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closers.reverse()) await close().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, 'The demo could not end all it had started.');
}

function sayDevices(fleet: Fleet, say: (lines: string) => void): void {
  for (const { name, host, port } of fleet.devices) {
    const down = fleet.device(name).view().isDown ? ' (down)' : '';
    say(factLine(`device ${name}`, `https://${host}:${port}${down}`));
  }
}

async function runPlan(
  folder: DemoFolder,
  fleet: Fleet,
  { client }: ServerProcess,
  { say, hand, stop }: DemoSurroundings,
): Promise<boolean> {
  const { id } = await valueOrFailure(client.runPlan({ params: { name: planName }, body: {} }));
  say(`\nRun of the plan ${planName}`);
  const beganAt = performance.now();
  const elapsedMs = (): number => performance.now() - beganAt;
  fleet.events.on('request', (entry) => {
    const line = quiesceLine(entry, elapsedMs());
    if (line !== null) say(line);
  });
  const ended = await followRun(client, id, {
    signal: stop,
    onTask: (task) => {
      if (task.status !== 'WAITING') say(taskLine(task, elapsedMs()));
    },
  });
  const report = demoReport(ended, fleet, folder.store);
  const foreign = filesNotServed(report, fleet);
  say(`\n${reportText(report)}`);
  say(
    factLine('hashes', foreign.length === 0 ? 'as the devices served them' : `WRONG: ${foreign.join(', ')}`),
  );
  hand(report);
  return report.run.status === 'SUCCEEDED' && report.quiescedNow.length === 0 && foreign.length === 0;
}

async function stayUp(
  folder: DemoFolder,
  server: ServerProcess,
  { say, stop }: DemoSurroundings,
): Promise<void> {
  const data = relative(process.cwd(), folder.data);
  const command = `npm run stillpoint -- --data ${data.startsWith('..') ? folder.data : data}`;
  say(
    [
      '\nLook further from another terminal:',
      `  ${command} run list`,
      `  ${command} backup list`,
      `  ${command} device test TEST9`,
      `  ${command} plan run ${planName} --wait`,
      'Ctrl-C ends the demo.',
    ].join('\n'),
  );
  const stopped = new Promise<'stopped'>((resolve) => {
    if (stop.aborted) resolve('stopped');
    stop.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  if ((await Promise.race([stopped, server.ended])) === 'stopped')
    say('\nEnding the server and the fleet ...');
  else throw new DemoFailure(`The server has ended by itself; its log is ${folder.serverLog}.`);
}
