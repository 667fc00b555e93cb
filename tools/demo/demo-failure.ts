/** The demo cannot go on; the message is the sentence for the person who started it. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}
