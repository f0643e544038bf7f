import { useRef, useState, type FormEvent } from 'react'

import type { Faults, Filled } from './check'

/** A form that is checked when it is sent; the first faulty field gets the focus. */
export function useForm(check: (f: Filled) => Faults, send: (f: Filled) => void) {
  const form = useRef<HTMLFormElement>(null)
  const [faults, setFaults] = useState<Faults>({})

  const submit = (e: FormEvent) => {
    e.preventDefault()
    const filled = Object.fromEntries(new FormData(form.current!)) as unknown as Filled
    const found = check(filled)
    setFaults(found)
    const first = Object.keys(found)[0]
    if (first) form.current!.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus()
    else send({ ...filled, email: filled.email.trim() })
  }
  return { form, faults, submit }
}
