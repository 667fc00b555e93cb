/** What one step of the check counted, and what it has to say when something failed. */
export interface StepResult {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
  /** What the tests counted or measured, a line each; shown also when all is well. */
  readonly figures?: readonly string[];
}

/** One named part of the check; `npm test -- NAME` runs it alone. */
export interface Step {
  readonly name: string;
  /** Names of steps that must have ended before this one begins, whatever their outcome. */
  readonly after: readonly string[];
  /** How many of the two processor cores it keeps busy. */
  readonly cores: 1 | 2;
  /** Script and arguments for Node, of a step that is a tool; the gates run it on planted violations. */
  readonly command?: readonly string[];
  run(): Promise<StepResult>;
}

/** The result of a step that is one statement, true or not: nothing found means passed. */
export function verdictOf(problems: readonly string[]): StepResult {
  if (problems.length === 0) return { passed: 1, failed: 0, output: '' };
  return { passed: 0, failed: 1, output: problems.join('\n') };
}
