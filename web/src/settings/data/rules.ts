import { ApiError } from '../../api/client'
import { upper } from '../said'

type RuleFaults = Record<number, { from?: string; to?: string }>

const PLACE = /^(?:body\.)?url_rules\.rules\[(\d+)\]\.(from|to)(?:: (.+))?$/s

/** What the server said of rules, by their position; and the error if it is about all of them. */
export function faultsOfRules(error: unknown): { at: RuleFaults; rest: unknown } {
  if (!(error instanceof ApiError)) return { at: {}, rest: error }
  const at: RuleFaults = {}
  const note = (place: string, said?: string) => {
    const [, i, field, rest] = PLACE.exec(place) ?? []
    const message = said ?? rest
    if (i && field && message) at[Number(i)] = { ...at[Number(i)], [field]: upper(message) }
  }
  note(error.message)
  if (Array.isArray(error.details)) {
    for (const { location = '', message } of error.details as { location?: string; message: string }[]) note(location, message)
  }
  return { at, rest: Object.keys(at).length > 0 ? null : error }
}
