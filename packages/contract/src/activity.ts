import { z } from 'zod';

const scriptShape = z.string().min(1).max(255).describe('file name directly inside scripts.path');

const patternShape = z
  .string()
  .min(1)
  .max(4096)
  .describe('names with `*`, separated by commas; `!x` excludes; devices also `tag:key=value`');

const postTaskScriptFields = { script: scriptShape, when: z.enum(['always', 'onFailure']).default('always') };

const retryShape = z
  .strictObject({
    attempts: z.int().min(0).max(5).default(0).describe('how often a task that failed is tried again'),
    delaySeconds: z.int().min(0).max(86_400).default(60).describe('pause before each new attempt'),
  })
  .prefault({})
  .describe('only inside the window');

const activityFields = {
  devices: patternShape,
  quiesce: z.boolean().default(false).describe('unquiesce always follows'),
  preTaskScript: scriptShape.nullable().default(null),
  errorPolicy: z.enum(['plan', 'halt', 'ignore']).default('plan'),
  retry: retryShape,
};

const secureBackupFields = {
  ...activityFields,
  certificate: z.string().min(1).max(256).describe('crypto certificate object, the same name on each device'),
  includeIscsi: z.boolean().default(false),
  includeRaid: z.boolean().default(false),
};

const exportDomainFields = {
  ...activityFields,
  domains: patternShape.describe('pattern of domains, or `all-domains` for one export that holds them all'),
};

const postTaskScriptDefinition = z
  .union([scriptShape, z.strictObject(postTaskScriptFields)])
  .nullable()
  .default(null);

/** One line of a plan as an apply document gives it: exactly one of `secureBackup` and `exportDomain`. */
export const activityDefinitionShape = z
  .strictObject({
    secureBackup: z
      .strictObject({ ...secureBackupFields, postTaskScript: postTaskScriptDefinition })
      .optional(),
    exportDomain: z
      .strictObject({ ...exportDomainFields, postTaskScript: postTaskScriptDefinition })
      .optional(),
  })
  .refine((activity) => (activity.secureBackup === undefined) !== (activity.exportDomain === undefined), {
    error: 'must have exactly one of secureBackup, exportDomain',
    params: { code: 'EXACTLY_ONE' },
  })
  .meta({ id: 'ActivityDefinition' });

/** One line of a plan of an apply document, defaults filled in. */
export type ActivityDefinition = z.output<typeof activityDefinitionShape>;

const postTaskScriptShown = z.object(postTaskScriptFields).nullable();

/** One line of a plan as it is shown: exactly one of `secureBackup` and `exportDomain`. */
export const activityShape = z
  .object({
    secureBackup: z.object({ ...secureBackupFields, postTaskScript: postTaskScriptShown }).optional(),
    exportDomain: z.object({ ...exportDomainFields, postTaskScript: postTaskScriptShown }).optional(),
  })
  .meta({ id: 'Activity' });

/** One line of a plan as it is shown. */
export type Activity = z.output<typeof activityShape>;
