import type { CommandDefinition } from '../invocation.ts';
import { planRun } from './plan-run.ts';

/** `run PLAN`: the short form of `plan run PLAN`; a plan called like another command of `run` needs the long one. */
export const runStart: CommandDefinition = {
  ...planRun,
  syntax: 'start <plan>',
  summary: 'start a run of a plan; "start" may be left out (short for "plan run")',
  examples: ['stillpoint run nightly --wait'],
  isDefault: true,
};
