/** An instant (milliseconds since 1970) as `yyyy-MM-dd-HH-mm-ss-SSS` on the clocks of an IANA zone. */
export function formatTimestamp(instantMs: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  });
  const parts = new Map(format.formatToParts(instantMs).map((part) => [part.type as string, part.value]));
  const year = (parts.get('year') ?? '').padStart(4, '0');
  const rest = ['month', 'day', 'hour', 'minute', 'second', 'fractionalSecond'];
  return [year, ...rest.map((type) => parts.get(type) ?? '')].join('-');
}
