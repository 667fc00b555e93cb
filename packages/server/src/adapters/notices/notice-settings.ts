import { type NoticeParameters, noticeParametersInForce, type SecretParameterName } from '@stillpoint/core';
import type { StoredDefinitions } from '../definitions.ts';

/** Where notices go, as the parameters are now. */
export type NoticeSettings = Pick<StoredDefinitions, 'parameterValues' | 'secretParameter'>;

/** The parameters of notices in force. */
export async function readNoticeParameters(
  settings: Pick<NoticeSettings, 'parameterValues'>,
): Promise<NoticeParameters> {
  return noticeParametersInForce(await settings.parameterValues());
}

/** What a secret parameter was set to, for the one place that sends it or signs with it; an empty text when it is not set. */
export async function revealSecret(settings: NoticeSettings, name: SecretParameterName) {
  const kept = await settings.secretParameter(name);
  return kept.ok ? ({ ok: true, value: kept.value?.reveal() ?? '' } as const) : kept;
}
