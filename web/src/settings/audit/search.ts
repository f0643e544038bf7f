/** What is asked of the audit log, as it stands in the address. */
export interface AuditSearch {
  /** Dates, both inclusive. */
  from?: string
  to?: string
  /** The id of who did it. */
  user?: string
  /** The first part of the act's name: key, member. */
  act?: string
  refused?: 'true' | 'false'
  /** Where the page begins; without it, at the newest. */
  cursor?: string
}

const isDate = (v: unknown): v is string => typeof v === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(v)
const isText = (v: unknown): v is string => typeof v === 'string' && v !== ''

export const auditSearch = (s: Record<string, unknown>): AuditSearch => ({
  ...(isDate(s.from) ? { from: s.from } : {}),
  ...(isDate(s.to) ? { to: s.to } : {}),
  ...(isText(s.user) ? { user: s.user } : {}),
  ...(isText(s.act) ? { act: s.act } : {}),
  ...(String(s.refused) === 'true' ? { refused: 'true' } : String(s.refused) === 'false' ? { refused: 'false' } : {}),
  ...(isText(s.cursor) ? { cursor: s.cursor } : {}),
})

/** The search with a filter set, or without it; from the newest entry on. */
export function withFilter(search: AuditSearch, name: Exclude<keyof AuditSearch, 'cursor'>, value: string): AuditSearch {
  const { cursor: _, [name]: __, ...rest } = search
  return auditSearch({ ...rest, ...(value ? { [name]: value } : {}) })
}
