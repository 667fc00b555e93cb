import type { Answer } from '@stillpoint/contract';
import { DemoFailure } from './demo-failure.ts';

/** The value of an answer; a problem ends the demo with its own words. */
export async function valueOrFailure<Value>(asked: Promise<Answer<Value>>): Promise<Value> {
  const answer = await asked;
  if (answer.ok) return answer.value;
  const { detail, remedy, errors = [] } = answer.problem;
  throw new DemoFailure(
    [detail, ...errors.map(({ path, message }) => `${path}: ${message}`), remedy].join(' '),
  );
}
