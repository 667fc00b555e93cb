import { Client, type QueryConfig } from 'pg';

const usesBeforehand = 5;
const mostNames = 100;
const mostCounted = 1000;
const longestText = 2000;

/** Gives names to the statements that are asked again and again: those the server reads and plans once per connection. */
export class StatementNames {
  readonly #names = new Map<string, string>();
  readonly #uses = new Map<string, number>();

  /** Nothing for a statement that is asked seldom, too long, or one too many. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (this.#names.size >= mostNames || text.length > longestText || hasOpenColumns(text)) return undefined;
    const uses = (this.#uses.get(text) ?? 0) + 1;
    if (uses <= usesBeforehand) {
      if (this.#uses.size >= mostCounted) this.#uses.clear();
      this.#uses.set(text, uses);
      return undefined;
    }
    this.#uses.delete(text);
    const name = `asked_often_${this.#names.size + 1}`;
    this.#names.set(text, name);
    return name;
  }
}

/** After a migration by another node it would give other columns than were planned, which the server refuses. */
function hasOpenColumns(text: string): boolean {
  return text.includes('*');
}

const names = new StatementNames();
const plainQuery = Client.prototype.query as (this: Client, ...asked: unknown[]) => unknown;

/** A client whose connection keeps the plans of what it is asked often; the statements of a program are few. */
export class PreparingClient extends Client {}

PreparingClient.prototype.query = function query(this: PreparingClient, ...asked: unknown[]): unknown {
  const [text, values, ...rest] = asked;
  const isPlain = typeof text === 'string' && Array.isArray(values) && values.length > 0;
  const name = isPlain ? names.nameOf(text) : undefined;
  if (name === undefined) return plainQuery.apply(this, asked);
  const statement: QueryConfig = { name, text: text as string, values: values as unknown[] };
  return plainQuery.call(this, statement, ...rest);
} as Client['query'];
