import { type Client, type PlanPreview, problemOf } from '@stillpoint/contract';
import { applyFile } from '../apply-file.ts';
import { type CommandDefinition, type Invocation, showAnswer, withClient } from '../invocation.ts';
import { previewText } from '../preview-text.ts';

/** `plan preview`: what a run would do, of a plan that is kept or of one in a file. */
export const planPreview: CommandDefinition = {
  syntax: 'preview [name]',
  summary: 'show what a run of a plan would do now: its tasks, checks, size and window; starts nothing',
  examples: [
    'stillpoint plan preview nightly',
    'stillpoint plan preview -f plans.yaml',
    'stillpoint plan preview nightly -f plans.yaml',
  ],
  flags: [
    {
      flag: '-f, --file <file>',
      meaning: 'look at the plans of this YAML file, or at the one that is named, without saving them',
    },
  ],
  run: async (invocation, [name], { file }) => {
    const { printer } = invocation;
    if (typeof file === 'string')
      return withClient(invocation, (client) => previewFile(invocation, client, file, name));
    if (name === undefined) {
      const detail = 'Say which plan: by its name, or by a file with --file.';
      return printer.problem(problemOf({ code: 'USAGE_NOT_VALID', detail }));
    }
    return showAnswer(invocation, (client) => client.previewPlan({ params: { name } }), previewText);
  },
};

/** Devices of the file are not asked: only those that are kept are known. */
async function previewFile(
  { printer, surroundings }: Invocation,
  client: Client,
  file: string,
  name: string | undefined,
): Promise<number> {
  const read = await applyFile(file, surroundings.workingDirectory);
  if (!read.ok) return printer.problem(read.problem);
  const { document, locate } = read.value;
  const plans = [...(document.plans ?? []).entries()].filter(
    ([, plan]) => name === undefined || plan.name === name,
  );
  if (plans.length === 0) {
    const detail =
      name === undefined ? `The file ${file} has no plans.` : `The file ${file} has no plan "${name}".`;
    return printer.problem(problemOf({ code: 'FILE_NOT_VALID', detail }));
  }
  const previews: PlanPreview[] = [];
  for (const [index, plan] of plans) {
    const answer = await client.previewDefinition({ body: plan });
    if (answer.ok) previews.push(answer.value);
    else {
      const errors = answer.problem.errors?.map((error) => ({
        ...error,
        path: `/plans/${index}${error.path}`,
      }));
      return printer.problem(locate(errors === undefined ? answer.problem : { ...answer.problem, errors }));
    }
  }
  const [only] = previews;
  if (previews.length === 1 && only !== undefined) printer.value(only, previewText);
  else printer.value({ items: previews }, ({ items }) => items.map(titled).join('\n\n'));
  return 0;
}

function titled(preview: PlanPreview): string {
  return `Plan "${preview.plan}"\n\n${previewText(preview)}`;
}
