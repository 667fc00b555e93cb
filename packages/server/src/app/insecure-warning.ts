/** What is shown of a device whose certificate is not checked, wherever it is shown. */
export function insecureWarning(device: string): string {
  return `The certificate of ${device} is not checked (tls: insecure).`;
}
