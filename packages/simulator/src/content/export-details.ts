import type { Appliance } from '../appliance.ts';
import { element, field, type XmlTree } from '../xml/write-xml.ts';

/** The `export-details` of a package: who exported what, from which appliance, and when. */
export function exportDetails(appliance: Appliance, about: { domain: string; comment: string }): XmlTree {
  const { description, firmwareMajor } = appliance;
  const { firmware } = description;
  const isRecent = firmwareMajor >= 7;
  const model = isRecent ? 'IBM DataPower Gateway' : 'WebSphere DataPower';
  const product = firmware.version.split('.')[0] ?? 'IDG';
  const now = appliance.time();
  const reset = appliance.time(appliance.state.bootedAt);
  const recent = (name: string, value: string): XmlTree[] => (isRecent ? [field(name, value)] : []);
  return element(
    'export-details',
    {},
    field('description', 'Exported Configuration'),
    field('user', description.username),
    field('domain', about.domain),
    field('comment', about.comment),
    field('product-id', firmware.machineType),
    field('product', product),
    ...recent('display-product', product),
    field('model', model),
    ...recent('display-model', model),
    field('device-name', description.name),
    field('serial-number', firmware.serial),
    field('firmware-version', firmware.version),
    ...recent('display-firmware-version', firmware.version),
    field('firmware-build', firmware.build),
    ...recent('delivery-type', firmware.deliveryType),
    field('firmware-timestamp', firmware.buildDate),
    field('current-date', now.date),
    field('current-time', `${now.time} ${now.zoneName}`),
    field('reset-date', reset.date),
    field('reset-time', `${reset.time} ${reset.zoneName}`),
    field('login-message', ''),
    field('custom-ui-file', ''),
  );
}
