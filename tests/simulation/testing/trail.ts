/** What happened, line by line, for people; and a sum over all lines that tells two histories apart. */
export class Trail {
  /** How many lines of each subject there were. */
  readonly counts = new Map<string, number>();
  readonly #lines: string[] | null;
  readonly #now: () => number;
  readonly #startAt: number;
  #sum = 2_166_136_261;

  /** Without lines only counts and the sum are kept. */
  constructor(now: () => number, keepsLines: boolean) {
    this.#now = now;
    this.#startAt = now();
    this.#lines = keepsLines ? [] : null;
  }

  /** `subject` is what is counted: fact, request, fault ...; `who` a node, a device, or the operator. */
  note(subject: string, who: string, text: string): void {
    this.counts.set(subject, (this.counts.get(subject) ?? 0) + 1);
    const at = this.#now() - this.#startAt;
    this.#add(at);
    this.#addText(subject);
    this.#addText(who);
    this.#addText(text);
    this.#lines?.push(`${stampOf(at)} ${who.padEnd(10)} ${subject.padEnd(8)} ${text}`);
  }

  count(subject: string): number {
    return this.counts.get(subject) ?? 0;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** Hexadecimal; differs when anything in the history does. */
  get sum(): string {
    return (this.#sum >>> 0).toString(16).padStart(8, '0');
  }

  #add(value: number): void {
    this.#sum = Math.imul(this.#sum ^ (value | 0), 16_777_619);
  }

  #addText(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.#add(text.charCodeAt(at));
  }
}

/** `12:03:04.250` since the beginning. */
function stampOf(ms: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  const millis = String(Math.floor(ms % 1000)).padStart(3, '0');
  return `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}.${millis}`;
}
