import { applyDocumentShape } from '@stillpoint/contract';
import { expect, it } from 'vitest';
import { scriptWarnings } from './script-warnings.ts';

const remedyOf = (code: string): string => `Remedy of ${code}.`;

it('each script of a plan that cannot be run is told once, with what to do', async () => {
  const exportDomain = { devices: 'QA*', domains: '*', preTaskScript: 'gone.sh', postTaskScript: 'here.sh' };
  const document = applyDocumentShape.parse({
    plans: [
      { name: 'a', prePlanScript: 'gone.sh', activities: [{ exportDomain }] },
      { name: 'b', postPlanScript: 'gone.sh' },
      { name: 'c' },
    ],
  });
  const asked: string[] = [];
  const problemOf = async (name: string) => {
    asked.push(name);
    const fault = {
      code: 'SCRIPT_NOT_FOUND',
      effect: 'none',
      retryable: false,
      detail: 'It is gone.',
    } as const;
    return name === 'here.sh' ? null : fault;
  };
  expect(await scriptWarnings(document, { scripts: { problemOf }, remedyOf })).toEqual([
    'Plan a: It is gone. Remedy of SCRIPT_NOT_FOUND.',
    'Plan b: It is gone. Remedy of SCRIPT_NOT_FOUND.',
  ]);
  expect(asked.toSorted()).toEqual(['gone.sh', 'gone.sh', 'here.sh']);
});
