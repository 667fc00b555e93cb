import type { ApplyDocument } from '@stillpoint/contract';
import type { Plan } from '@stillpoint/core';
import { planFrom } from './plan-form.ts';
import type { ScriptFolder } from './ports.ts';

/**
 * One sentence for each script that a plan of the document names and that this node cannot run now. It may still be put
 * there, so it is no reason to refuse the document; a run that meets it fails.
 */
export async function scriptWarnings(
  document: Pick<ApplyDocument, 'plans'>,
  ports: { readonly scripts: Pick<ScriptFolder, 'problemOf'>; readonly remedyOf: (code: string) => string },
): Promise<string[]> {
  const named = document.plans
    .map(planFrom)
    .flatMap((plan) => scriptsOf(plan).map((script) => ({ plan, script })));
  const warnings = await Promise.all(
    named.map(async ({ plan, script }) => {
      const problem = await ports.scripts.problemOf(script);
      if (problem === null) return [];
      return [`Plan ${plan.name}: ${problem.detail} ${ports.remedyOf(problem.code)}`.trim()];
    }),
  );
  return warnings.flat();
}

/** Each script that a plan names, once. */
export function scriptsOf({ prePlanScript, activities, postPlanScript }: Plan): string[] {
  const ofTasks = activities.flatMap(({ preTaskScript, postTaskScript }) => [
    preTaskScript,
    postTaskScript?.script ?? null,
  ]);
  return [...new Set([prePlanScript, ...ofTasks, postPlanScript].filter((name) => name !== null))];
}
