/** The major number of a firmware version such as `IDG.10.5.0.2` or `XI52.6.0.0.2`. */
export function firmwareMajor(version: string): number {
  const numbers = version.split('.').filter((part) => /^\d+$/.test(part));
  return Number(numbers[0] ?? '0');
}
