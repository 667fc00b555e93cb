/** The reason with which the signal of an effect aborts that nobody wants any more, while this node still holds its subject. */
export const GIVEN_UP = 'given up';
