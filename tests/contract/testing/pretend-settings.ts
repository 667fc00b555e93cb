import { Secret } from '../../../packages/datapower/src/index.ts';
import type { NoticeSettings } from '../../../packages/server/src/index.ts';

/** Parameters of notices that a test sets as it goes. */
export class PretendSettings implements NoticeSettings {
  readonly values: Record<string, unknown> = {};
  readonly secrets: Partial<Record<string, string>> = {};

  async parameterValues() {
    return this.values;
  }

  async secretParameter(name: string) {
    const secret = this.secrets[name];
    return { ok: true, value: secret === undefined ? null : new Secret(secret) } as const;
  }
}
