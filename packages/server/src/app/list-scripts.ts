import type { ScriptList } from '@stillpoint/contract';
import type { Fault } from '@stillpoint/core';
import type { Outcome } from './application.ts';
import type { ScriptFolder } from './ports.ts';

type Problem = ScriptList['problem'];

/** The scripts folder, and of each file why it cannot be run. */
export async function listScripts(ports: {
  readonly scripts: ScriptFolder;
  readonly remedyOf: (code: string) => string;
}): Promise<Outcome<ScriptList>> {
  const { folder, files } = await ports.scripts.list();
  const problem = (fault: Fault | null): Problem => problemOfScript(fault, ports.remedyOf);
  if (!files.ok) return { ok: true, value: { folder, problem: problem(files.fault), items: [] } };
  const items = files.value.map((file) => ({ ...file, problem: problem(file.problem) }));
  return { ok: true, value: { folder, problem: null, items } };
}

/** What stands in the way of a script, as it is shown. */
export function problemOfScript(fault: Fault | null, remedyOf: (code: string) => string): Problem {
  return fault === null ? null : { code: fault.code, sentence: fault.detail, remedy: remedyOf(fault.code) };
}
