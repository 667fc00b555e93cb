import type { ScriptTest, ScriptTestRequest } from '@stillpoint/contract';
import type { Outcome } from './application.ts';
import { problemOfScript } from './list-scripts.ts';
import type { ScriptFolder } from './ports.ts';

/** Runs a script with sample data, and tells all that it was given and what became of it. */
export async function testScript(
  name: string,
  { kind }: ScriptTestRequest,
  ports: { readonly scripts: ScriptFolder; readonly remedyOf: (code: string) => string },
): Promise<Outcome<ScriptTest>> {
  const { folder, args, environment, facts, reply, durationMs, output } = await ports.scripts.tryOut(
    name,
    kind,
  );
  return {
    ok: true,
    value: {
      name,
      kind,
      folder,
      arguments: [...args],
      environment: [...environment],
      input: { ...facts },
      exitCode: reply.ok ? reply.value.exitCode : null,
      problem: problemOfScript(reply.ok ? null : reply.fault, ports.remedyOf),
      durationMs,
      output,
    },
  };
}
