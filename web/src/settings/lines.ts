/** The lines of a text, without the empty ones; a comma ends one too. */
export const linesOf = (text: string, end: RegExp | string = /[\n,]/) =>
  text
    .split(end)
    .map((line) => line.trim())
    .filter(Boolean)
