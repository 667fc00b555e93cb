import { z } from 'zod';
import { instantShape } from './instant.ts';

/** Name of a file in the scripts folder, as it is asked for. */
export const scriptNameShape = z.string().min(1).max(255);

const problemOfScriptShape = z
  .object({ code: z.string(), sentence: z.string(), remedy: z.string() })
  .nullable();

/** A file of the scripts folder. */
const scriptFileShape = z
  .object({
    name: z.string(),
    sizeBytes: z.number().int().min(0),
    problem: problemOfScriptShape.describe('why it cannot be run; null when it can'),
  })
  .meta({ id: 'Script' });

/** The scripts folder as the node that answers sees it. */
export const scriptListShape = z
  .object({
    folder: z.string(),
    problem: problemOfScriptShape.describe('why the folder cannot be read; null when it can'),
    items: z.array(scriptFileShape),
  })
  .meta({ id: 'ScriptList' });

/** The scripts folder as the node that answers sees it. */
export type ScriptList = z.output<typeof scriptListShape>;

/** Which part a script plays. */
export const scriptKindShape = z
  .enum(['pre-plan', 'post-plan', 'pre-task', 'post-task'])
  .meta({ id: 'ScriptKind' });

/** Which part a script plays. */
export type ScriptKind = z.output<typeof scriptKindShape>;

/** As what a script is tried out. */
export const scriptTestRequestShape = z
  .strictObject({ kind: scriptKindShape.default('pre-plan') })
  .meta({ id: 'ScriptTestRequest' });

/** As what a script is tried out. */
export type ScriptTestRequest = z.output<typeof scriptTestRequestShape>;

/** What became of a script that was run with sample data. */
export const scriptTestShape = z
  .object({
    name: z.string(),
    kind: scriptKindShape,
    folder: z.string(),
    arguments: z.array(z.string()),
    environment: z.array(z.string()).describe('names of the variables that it was given'),
    input: z
      .record(z.string(), z.union([z.string(), z.number(), z.null()]))
      .describe('what came on standard input, as JSON'),
    exitCode: z.number().int().nullable().describe('null when it came to none'),
    problem: problemOfScriptShape.describe('why it came to no exit code'),
    durationMs: z.number().int().min(0),
    output: z.string().describe('the last 64 KiB of what it printed; what is not UTF-8 as U+FFFD'),
  })
  .meta({ id: 'ScriptTest' });

/** What became of a script that was run with sample data. */
export type ScriptTest = z.output<typeof scriptTestShape>;

/** What a script of a run or a task printed. */
export const scriptOutputShape = z
  .object({
    phase: z.enum(['pre', 'post']),
    script: z.string(),
    exitCode: z
      .number()
      .int()
      .nullable()
      .describe('null when it came to none; the output ends with the reason'),
    output: z.string().describe('the last 64 KiB of what it printed; what is not UTF-8 as U+FFFD'),
    endedAt: instantShape,
  })
  .meta({ id: 'ScriptOutput' });

/** What a script of a run or a task printed. */
export type ScriptOutput = z.output<typeof scriptOutputShape>;
