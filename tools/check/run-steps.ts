import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Step, StepResult } from './step.ts';

/** A step that has ended, with the time it took. */
export interface EndedStep extends StepResult {
  readonly name: string;
  readonly durationMs: number;
}

export interface RunOptions {
  /** Where the whole output of each step is kept. */
  readonly logFolder: string;
  onEnd(step: EndedStep): void;
}

/** Runs steps side by side as far as two cores carry them, each after those it must follow; never rejects. */
export async function runSteps(steps: readonly Step[], options: RunOptions): Promise<EndedStep[]> {
  mkdirSync(options.logFolder, { recursive: true });
  const cores = Math.min(2, availableParallelism());
  const waiting = [...steps];
  const going = new Map<Step, Promise<Step>>();
  const ended = new Map<string, EndedStep>();
  const isReady = (step: Step) =>
    step.after.every((name) => ended.has(name) || !steps.some((other) => other.name === name)) &&
    usedCores(going) + Math.min(step.cores, cores) <= cores;
  while (waiting.length > 0 || going.size > 0) {
    const next = waiting.findIndex(isReady);
    const [step] = next < 0 ? [] : waiting.splice(next, 1);
    if (step === undefined) {
      if (going.size === 0)
        throw new Error(`These steps wait for each other: ${waiting.map(({ name }) => name).join(', ')}`);
      going.delete(await Promise.race(going.values()));
      continue;
    }
    const run = runStep(step).then((result) => {
      writeFileSync(join(options.logFolder, `${step.name}.log`), result.output);
      ended.set(step.name, result);
      options.onEnd(result);
      return step;
    });
    going.set(step, run);
  }
  return steps.flatMap(({ name }) => ended.get(name) ?? []);
}

function usedCores(going: ReadonlyMap<Step, unknown>): number {
  let cores = 0;
  for (const step of going.keys()) cores += step.cores;
  return cores;
}

async function runStep(step: Step): Promise<EndedStep> {
  const startedAt = performance.now();
  const result = await step.run().catch((error: unknown) => ({
    passed: 0,
    failed: 1,
    output: `The step itself broke: ${error instanceof Error ? error.stack : String(error)}`,
  }));
  return { name: step.name, durationMs: performance.now() - startedAt, ...result };
}
