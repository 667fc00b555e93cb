import { parseDocument } from 'yaml';
import { type FleetReading, readFleetDescription } from './fleet-description.ts';

/** Reads the text of a fleet file (YAML); each problem is one sentence. */
export function readFleetFile(text: string): FleetReading {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map(({ message }) => `not YAML: ${firstLine(message)}`) };
  }
  return readFleetDescription(document.toJS({ maxAliasCount: 100 }));
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
