import { ApiError, UNREACHABLE } from '../api/client'

/** What the server said of a form: of fields by their names, and the error if it is about the whole form. */
export interface Said<Name extends string> {
  at: Partial<Record<Name, string>>
  rest: unknown
}

interface Place {
  location?: string
  message: string
}

const isPlaces = (v: unknown): v is Place[] => Array.isArray(v) && v.every((p: Partial<Place>) => typeof p?.message === 'string')

/** A message as a sentence begins. */
export const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/**
 * Finds the fields that an error is about. The server begins such a message with the field, as in
 * "name: 1 to 100 characters", or lists places such as body.name. `alias` gives the form's names for the
 * server's. What it says of a form with one field is about that field.
 */
export function saidOf<Name extends string>(error: unknown, fields: readonly Name[], alias: Record<string, Name> = {}): Said<Name> {
  if (!(error instanceof ApiError) || error.status === UNREACHABLE || error.status >= 500) return { at: {}, rest: error }
  const named = (name: string | undefined) => (name === undefined ? undefined : (alias[name] ?? fields.find((f) => f === name)))
  const at: Said<Name>['at'] = {}
  for (const { location, message } of isPlaces(error.details) ? error.details : []) {
    const field = named(/^body\.(\w+)/.exec(location ?? '')?.[1])
    if (field) at[field] ??= upper(message)
  }
  const [, name, message] = /^(\w+)(?:\[\d+\])?: (.+)$/s.exec(error.message) ?? []
  const field = named(name)
  if (field && message) at[field] ??= upper(message)
  if (Object.keys(at).length > 0) return { at, rest: null }
  return fields.length === 1 ? { at: { [fields[0]!]: upper(error.message) } as Said<Name>['at'], rest: null } : { at, rest: error }
}
