/** One instant as an appliance writes it, in its own time zone. */
export interface DeviceTime {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** `hh:mm:ss` */
  readonly time: string;
  /** `YYYY-MM-DDThh:mm:ss±hh:mm` */
  readonly timestamp: string;
  /** `Tue Apr 25 13:39:36 2023` */
  readonly longText: string;
  /** Abbreviation of the zone at that instant, such as EDT. */
  readonly zoneName: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Writes an instant (milliseconds since the epoch) in a zone, whatever the host's zone and locale are. */
export function deviceTime(at: number, timezone: string): DeviceTime {
  const parts = new Map(
    formatFor(timezone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  const local = new Date(`${date}T${time}Z`);
  const offsetMinutes = Math.round((local.getTime() - Math.floor(at / 1000) * 1000) / 60_000);
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][local.getUTCDay()];
  const month = local.toUTCString().slice(8, 11);
  return {
    date,
    time,
    timestamp: `${date}T${time}${offsetText(offsetMinutes)}`,
    longText: `${weekday} ${month} ${String(local.getUTCDate()).padStart(2)} ${time} ${part('year')}`,
    zoneName: part('timeZoneName'),
  };
}

/** A duration as the appliance writes its uptime: `3 days 08:57:10`. */
export function uptimeText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000));
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  return `${days} days ${two((seconds % 86_400) / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function formatFor(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'short',
    });
    formats.set(timezone, format);
  }
  return format;
}
