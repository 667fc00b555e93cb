import type { DeviceTest } from '@stillpoint/contract';
import type { Fault, Reply } from '@stillpoint/core';
import type { DeviceFindings, DeviceRecord } from './ports.ts';

type Check = DeviceTest['checks'][number];

/** Clocks that differ more than this make time stamps and certificates doubtful. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Puts what was found by testing a device into checks and one sentence. `testedAt` is an ISO instant. */
export function judgeFindings(
  device: DeviceRecord,
  findings: DeviceFindings,
  testedAt: string,
  remedyOf: (code: string) => string,
): DeviceTest {
  const explain = (fault: Fault): string => `${sentenceOf(device, fault)} ${remedyOf(fault.code)}`.trim();
  const checks: Check[] = [];
  const { firmware, backupMode, clockDifferenceMs, domains } = findings;
  checks.push(...firmwareChecks(device, firmware, explain));
  if (backupMode !== undefined) checks.push(backupModeCheck(device, backupMode, explain));
  if (clockDifferenceMs !== undefined) checks.push(clockCheck(device, clockDifferenceMs, explain));
  if (domains !== undefined) checks.push(domainsCheck(device, domains, explain));
  if (device.tls.insecure === true) {
    checks.push({
      name: 'tls',
      outcome: 'warning',
      sentence: `The certificate of ${device.name} is not checked (tls: insecure).`,
    });
  }
  const failed = checks.find(({ outcome }) => outcome === 'failed');
  const warned = checks.filter(({ outcome }) => outcome === 'warning');
  const good = `${device.name} can be backed up${warned.length === 0 ? '' : `, with ${warned.length} warning(s)`}.`;
  return {
    device: device.name,
    isUsable: failed === undefined,
    sentence: failed?.sentence ?? good,
    checks,
    firmwareVersion: firmware.ok ? firmware.value.version : null,
    model: firmware.ok ? firmware.value.model : null,
    serial: firmware.ok ? firmware.value.serial : null,
    backupMode: backupMode?.ok ? backupMode.value : null,
    clockDifferenceMs: clockDifferenceMs?.ok ? clockDifferenceMs.value : null,
    domains: domains?.ok ? [...domains.value] : [],
    testedAt,
  };
}

/** The device, where it is unless the detail says so itself, and what it did. */
function sentenceOf(device: DeviceRecord, { code, detail }: Fault): string {
  const address = `${device.host}:${device.somaPort}`;
  if (code === 'AUTHENTICATION_FAILED') {
    return `${device.name} at ${address} refused the user name "${device.username}" or its password.`;
  }
  return detail.includes(address) ? `${device.name}: ${detail}` : `${device.name} at ${address}: ${detail}`;
}

type Explain = (fault: Fault) => string;

function firmwareChecks(
  device: DeviceRecord,
  firmware: DeviceFindings['firmware'],
  explain: Explain,
): Check[] {
  const address = `${device.host}:${device.somaPort}`;
  if (!firmware.ok) {
    const isLogin = firmware.fault.code === 'AUTHENTICATION_FAILED';
    const sentence = explain(firmware.fault);
    if (!isLogin) return [{ name: 'reachability', outcome: 'failed', sentence }];
    return [
      { name: 'reachability', outcome: 'passed', sentence: `${device.name} answers at ${address}.` },
      { name: 'login', outcome: 'failed', sentence },
    ];
  }
  return [
    { name: 'reachability', outcome: 'passed', sentence: `${device.name} answers at ${address}.` },
    { name: 'login', outcome: 'passed', sentence: `${device.username} can log in.` },
    { name: 'firmware', outcome: 'passed', sentence: `It runs firmware ${firmware.value.version}.` },
  ];
}

function backupModeCheck(device: DeviceRecord, mode: Reply<string>, explain: Explain): Check {
  if (!mode.ok) return { name: 'backupMode', outcome: 'failed', sentence: explain(mode.fault) };
  if (mode.value === 'secure') {
    return { name: 'backupMode', outcome: 'passed', sentence: 'It can make secure backups.' };
  }
  const sentence = `The backup mode of ${device.name} is "${mode.value}": secure backups are not possible, exports are.`;
  return { name: 'backupMode', outcome: 'warning', sentence };
}

function clockCheck(device: DeviceRecord, difference: Reply<number | null>, explain: Explain): Check {
  if (!difference.ok) return { name: 'clock', outcome: 'failed', sentence: explain(difference.fault) };
  if (difference.value === null) {
    return { name: 'clock', outcome: 'skipped', sentence: `${device.name} does not tell its time.` };
  }
  const seconds = Math.round(difference.value / 1000);
  const isFar = Math.abs(difference.value) > CLOCK_TOLERANCE_MS;
  const sentence = `The clock of ${device.name} differs by ${seconds} s${isFar ? '; set it, or set ours' : ''}.`;
  return { name: 'clock', outcome: isFar ? 'warning' : 'passed', sentence };
}

function domainsCheck(device: DeviceRecord, domains: Reply<readonly string[]>, explain: Explain): Check {
  if (!domains.ok) return { name: 'domains', outcome: 'failed', sentence: explain(domains.fault) };
  return {
    name: 'domains',
    outcome: 'passed',
    sentence: `${device.name} has ${domains.value.length} domain(s).`,
  };
}
