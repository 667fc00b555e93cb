import type { File, Run, Task } from '@stillpoint/contract';
import type { Fleet } from '@stillpoint/simulator';
import type { RunWithTasks } from './follow-run.ts';
import { quiescedOn } from './start-pretend-fleet.ts';

/** What `--json` prints. */
export interface DemoReport {
  readonly run: {
    readonly status: Run['status'];
    /** Tasks by status. */
    readonly counts: Omit<Run['counters'], 'devices' | 'domains'>;
  };
  /** In creation order. */
  readonly tasks: readonly {
    readonly action: Task['action'];
    readonly device: string;
    readonly domain: string | null;
    readonly status: Task['status'];
    readonly reason: string | null;
    readonly files: readonly File[];
  }[];
  /** What the devices themselves say is not running normally. */
  readonly quiescedNow: readonly { readonly device: string; readonly domain: string }[];
  readonly storePath: string;
}

/** The report about a run that has ended. */
export function demoReport({ run, tasks }: RunWithTasks, fleet: Fleet, storePath: string): DemoReport {
  const { devices: _devices, domains: _domains, ...counts } = run.counters;
  return {
    run: { status: run.status, counts },
    tasks: tasks.map(({ action, device, domain, status, reasonCode, files }) => ({
      action,
      device,
      domain,
      status,
      reason: reasonCode,
      files,
    })),
    quiescedNow: quiescedOn(fleet),
    storePath,
  };
}

/** Stored files whose SHA-256 is not one that the devices served; none when all is well. */
export function filesNotServed({ tasks }: DemoReport, fleet: Fleet): string[] {
  const served = new Set(fleet.log.map(({ servedSha256 }) => servedSha256));
  return tasks.flatMap(({ files }) =>
    files.filter(({ sha256 }) => !served.has(sha256)).map(({ path }) => path),
  );
}
