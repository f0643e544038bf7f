import { useRef, useState, type FormEvent } from 'react'

import type { Faults, Filled } from './check'

/** A form that is checked when it is sent; the first faulty field gets the focus. */
export function useForm<Name extends string>(check: (f: Filled<Name>) => Faults<Name>, send: (f: Filled<Name>) => void) {
  const form = useRef<HTMLFormElement>(null)
  const [faults, setFaults] = useState<Faults<Name>>({})

  const submit = (e: FormEvent) => {
    e.preventDefault()
    const filled = Object.fromEntries(new FormData(form.current!)) as Filled<Name>
    const found = check(filled)
    setFaults(found)
    const first = Object.keys(found)[0]
    if (first) form.current!.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus()
    else send(filled)
  }
  return { form, faults, submit }
}
