import type { Outcome } from '../app/application.ts';

/** A whole list as it travels: in an object, so that fields can be added beside it later. */
export function listOutcome<Item>(outcome: Outcome<Item[]>): Outcome<{ items: Item[] }> {
  return outcome.ok ? { ok: true, value: { items: outcome.value } } : outcome;
}
