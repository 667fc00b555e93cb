// A CRC is the remainder of a polynomial over GF(2); here as in ZIP its highest power stands in the lowest bit.
const divisor = 0xedb88320;
const one = 0x80000000;
const powerOfOneByte = 0x00800000;

/** The CRC-32 of two stretches of bytes one after the other, from the CRC of each and the size of the second. */
export function combineCrc32(first: number, second: number, secondSizeBytes: number): number {
  let shift = one;
  let power = powerOfOneByte;
  for (let left = secondSizeBytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) shift = multiply(shift, power);
    power = multiply(power, power);
  }
  return (multiply(first, shift) ^ second) >>> 0;
}

function multiply(a: number, b: number): number {
  let product = 0;
  let term = b;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= term;
    term = (term & 1) === 0 ? term >>> 1 : (term >>> 1) ^ divisor;
  }
  return product >>> 0;
}
