import type { TransferProgress } from '@stillpoint/database';

/** Short work is not worth a word. */
const TELL_EVERY_MS = 2_000;

const verbs: Readonly<Record<TransferProgress['step'], string>> = {
  export: 'exporting',
  check: 'checking the file:',
  import: 'importing',
  verify: 'reading back',
};

/** Tells people how far a long export or import has come, every few seconds. */
export class TransferTeller {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  #toldAt: number | undefined;

  constructor(write: (text: string) => void, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
  }

  readonly progress = ({ step, table, rows }: TransferProgress): void => {
    const now = this.#now();
    this.#toldAt ??= now;
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#write(`${verbs[step]} ${table}, row ${rows}\n`);
  };
}
