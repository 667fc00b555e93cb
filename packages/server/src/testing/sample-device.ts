import type { DeviceChange } from '../app/ports.ts';

/** For tests: an enabled device with a password, as it is to be kept. */
export function sampleDevice(more: Partial<DeviceChange> = {}): DeviceChange {
  return {
    name: 'QA1',
    host: 'qa1.example.com',
    somaPort: 5550,
    restPort: null,
    username: 'backup',
    tls: { insecure: true },
    tags: {},
    isEnabled: true,
    password: 'a password nobody may see',
    ...more,
  };
}
