import type { MoverCode } from './mover-catalogue.ts';

/** The reply of who may not act for a task (any more), and has not done what the sentence `detail` names. */
export function mayNotAct(detail: string): { readonly ok: false; readonly fault: NotDone } {
  return { ok: false, fault: { code: 'NODE_MAY_NOT_ACT', effect: 'none', retryable: true, detail } };
}

type NotDone = {
  readonly code: Extract<MoverCode, 'NODE_MAY_NOT_ACT'>;
  readonly effect: 'none';
  readonly retryable: true;
  readonly detail: string;
};
