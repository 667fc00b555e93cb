import { z } from 'zod';
import { deviceDefinitionShape } from './device.ts';
import { parameterNameShape, parameterValueShape } from './parameter.ts';
import { planDefinitionShape } from './plan.ts';

/** Everything an operator defines, in one document; what it does not name stays as it is. */
export const applyDocumentShape = z
  .strictObject({
    parameters: z.record(parameterNameShape, parameterValueShape).default({}),
    devices: z.array(deviceDefinitionShape).max(5000).superRefine(refuseRepeatedNames).default([]),
    plans: z.array(planDefinitionShape).max(2000).superRefine(refuseRepeatedNames).default([]),
  })
  .meta({ id: 'ApplyDocument' });

/** An apply document, defaults filled in. */
export type ApplyDocument = z.output<typeof applyDocumentShape>;

/** An apply document as it may be written, defaults left out. */
export type ApplyDocumentInput = z.input<typeof applyDocumentShape>;

/** Whether an apply only tells what it would do. */
export const applyQueryShape = z.strictObject({ dryRun: z.enum(['true', 'false']).default('false') });

/** What became of each object of an apply document, in the document's order. */
export const applyOutcomeShape = z
  .object({
    dryRun: z.boolean(),
    objects: z.array(
      z.object({
        kind: z.enum(['parameter', 'device', 'plan']),
        name: z.string(),
        outcome: z.enum(['created', 'changed', 'unchanged']),
      }),
    ),
    warnings: z.array(z.string()).describe('e.g. that a plan names a script that is not there yet'),
  })
  .meta({ id: 'ApplyOutcome' });

/** What became of each object of an apply document. */
export type ApplyOutcome = z.output<typeof applyOutcomeShape>;

function refuseRepeatedNames(objects: readonly { name: string }[], context: z.RefinementCtx): void {
  const firstIndex = new Map<string, number>();
  objects.forEach(({ name }, index) => {
    const first = firstIndex.get(name);
    if (first === undefined) firstIndex.set(name, index);
    else
      context.addIssue({
        code: 'custom',
        path: [index, 'name'],
        message: `"${name}" is already the name of entry ${first}`,
        params: { code: 'NAME_REPEATED' },
      });
  });
}
