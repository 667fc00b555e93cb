import type { Answer } from '../../../packages/contract/src/index.ts';

/** The value of an answer that a test takes for granted. */
export function good<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.detail}`);
  return answer.value;
}
