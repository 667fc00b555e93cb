import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks on the terminal and shows nothing of what is typed; null when it is broken off. */
export async function askSecret(question: string): Promise<string | null> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  try {
    return await terminal.question('');
  } catch {
    // Ctrl-C and Ctrl-D are no answer.
    return null;
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
