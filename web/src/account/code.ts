/**
 * The set-up code of the link that the server printed, "" without one. It is taken out of
 * the address, so that it stays in no history and in no link that is copied.
 */
export function takeCode(at: Pick<Location, 'hash' | 'pathname' | 'search'>, history: Pick<History, 'replaceState'>): string {
  const [, code = ''] = /^#setup=([\w-]+)$/.exec(at.hash) ?? []
  if (code) history.replaceState(null, '', at.pathname + at.search)
  return code
}
