/** The colour of an HTTP status: 2xx good, 4xx odd, 5xx bad. */
export function statusColour(status: number): string {
  if (status >= 500) return 'text-bad'
  if (status >= 400) return 'text-warn'
  return status >= 200 && status < 300 ? 'text-good' : 'text-muted'
}
