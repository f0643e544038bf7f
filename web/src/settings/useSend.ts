import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useRef, useState, type FormEvent } from 'react'

import type { Faults, Filled } from '../account/check'
import { saidOf } from './said'

interface Options<Name extends string, T> {
  fields: readonly Name[]
  /** The form's names for the server's. */
  alias?: Record<string, Name>
  check?: (filled: Filled<Name>) => Faults<Name>
  send: (filled: Filled<Name>) => Promise<T>
  /** What is asked for again then. */
  keys?: readonly QueryKey[]
  /** Whether the form is empty again then. */
  clear?: boolean
  done?: (answer: T) => void
}

const focus = (form: HTMLFormElement | null, faults: object) => {
  const first = Object.keys(faults)[0]
  if (first) form?.querySelector<HTMLElement>(`[name=${first}]`)?.focus()
}

/** A form that is sent to the server. What is wrong with a field stands at the field, which gets the focus. */
export function useSend<Name extends string, T>({ fields, alias, check, send, keys = [], clear = false, done }: Options<Name, T>) {
  const queries = useQueryClient()
  const form = useRef<HTMLFormElement>(null)
  const [faults, setFaults] = useState<Faults<Name>>({})
  const sent = useMutation({
    mutationFn: send,
    onSuccess: async (answer) => {
      await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })))
      if (clear) form.current?.reset()
      done?.(answer)
    },
    onError: (error) => focus(form.current, saidOf(error, fields, alias).at),
  })
  const said = saidOf(sent.error, fields, alias)

  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    form.current = e.currentTarget
    const filled = Object.fromEntries(new FormData(e.currentTarget)) as Filled<Name>
    const found = check?.(filled) ?? {}
    setFaults(found)
    if (Object.keys(found).length > 0) focus(e.currentTarget, found)
    else sent.mutate(filled)
  }
  return {
    submit,
    faults: { ...said.at, ...faults } as Faults<Name>,
    error: said.rest,
    pending: sent.isPending,
    done: sent.isSuccess,
  }
}
