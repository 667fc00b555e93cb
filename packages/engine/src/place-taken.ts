/**
 * Thrown by a beat when another process has this node's place: what this one holds was given away without its lease
 * having run out. It must not touch anything from then on.
 */
export class PlaceTaken extends Error {
  override readonly name = 'PlaceTaken';
}
