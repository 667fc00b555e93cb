import type { QuiesceScope, Reply } from '@stillpoint/core';
import type { Conversation } from './conversation.ts';

/** Sends an unquiesce, for a task or after it has ended. */
export function unquiesce(talk: Conversation, scope: QuiesceScope): Promise<Reply<null>> {
  return talk.act((appliance, call) =>
    scope.kind === 'device' ? appliance.unquiesceDevice(call) : appliance.unquiesceDomain(scope.domain, call),
  );
}
