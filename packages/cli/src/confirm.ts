import { createInterface } from 'node:readline/promises';

/** Asks on the terminal; only an answer that begins with y or Y means yes. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y/i.test(await terminal.question(`${question} [y/N] `));
  } catch {
    // Ctrl-D is no yes.
    return false;
  } finally {
    terminal.close();
  }
}
