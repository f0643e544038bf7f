/** A link or a button that is text. */
export const textLink = 'rounded text-sm font-medium text-accent underline underline-offset-4'
