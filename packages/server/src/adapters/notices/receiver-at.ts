/** What a notice is sent to over a socket. */
export type Receiver = { readonly host: string; readonly port: number };

/** The two halves of a `host:port` that was not refused; an address of IPv6 loses its brackets. */
export function receiverAt(server: string): Receiver {
  const colon = server.lastIndexOf(':');
  return {
    host: server.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(server.slice(colon + 1)),
  };
}
